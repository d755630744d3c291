"""What a deployed shop has in place of the real thing, in sentences that `make deploy` and `status` say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from swarm.options import Mail

StatusWarning = tuple[str, str]
"""condition and sentence"""


def find_warnings(services: Mapping[str, Any]) -> tuple[StatusWarning, ...]:
    """Read from what is deployed, by service name, whatever the options say by now."""
    if "checkout" not in services:
        return ()
    return (
        *_payment_warnings(services),
        *_mail_warnings(services),
        *_store_warnings(services),
        *_tls_warnings(services),
    )


def _payment_warnings(services: Mapping[str, Any]) -> Iterator[StatusWarning]:
    if environment(services["checkout"]).get("DEMO") == "1":
        yield "coming", "a demo: test cards pay, no money moves, and every page says so (DEMO=1)"
    else:
        text = "no payment provider: the shop browses and takes no orders (a demo takes test cards: DEMO=1)"
        yield "bad", text


def _mail_warnings(services: Mapping[str, Any]) -> Iterator[StatusWarning]:
    env = environment(services["checkout"])
    if not env.get("EMAIL_BACKEND", "").endswith("smtp.EmailBackend"):
        yield "coming", "no mail server: mails are only logged, and reach nobody (EMAIL_HOST)"
    elif env.get("DEFAULT_FROM_EMAIL") == Mail.sender:
        yield "coming", f"mails come from {Mail.sender}, which is nobody's address (DEFAULT_FROM_EMAIL)"


def _store_warnings(services: Mapping[str, Any]) -> Iterator[StatusWarning]:
    if "azurite" in services:
        text = "pictures are in Azurite, a stand-in on one node (AZURE_STORAGE_CONNECTION_STRING)"
        yield "coming", text
    if any("hivemart-couch:" in _image(services[name]) for name in services if name.endswith("-couch")):
        yield "coming", "the databases are the stand-in of the tests, not CouchDB (COUCHDB_IMAGE)"


def _tls_warnings(services: Mapping[str, Any]) -> Iterator[StatusWarning]:
    url = environment(services["checkout"]).get("PUBLIC_URL", "")
    if url.startswith("http://"):
        yield "coming", f"browsers come without TLS, to {url} (TLS, PUBLIC_URL)"


def environment(service: Mapping[str, Any]) -> dict[str, str]:
    """Return the environment of a service's tasks."""
    raw = service["Spec"]["TaskTemplate"]["ContainerSpec"].get("Env") or []
    return dict(line.split("=", 1) for line in raw if "=" in line)


def _image(service: Mapping[str, Any]) -> str:
    return str(service["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"])
