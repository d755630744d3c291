"""What a person chooses: make variables first, then `swarm/shop.env`, then the defaults here."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "swarm" / "shop.env"
STAND_IN = "stand-in"
KNOWN = (
    *("STACK", "DOMAIN", "HTTP_PORT", "HTTPS_PORT", "PUBLIC_URL", "PROXIES", "TLS", "TLS_CERT", "TLS_KEY"),
    *("REGISTRY", "COUCHDB_IMAGE", "REDIS_IMAGE", "AZURITE_IMAGE"),
    *("AZURE_STORAGE_CONNECTION_STRING", "AZURE_CONTAINER"),
    *("EMAIL_HOST", "EMAIL_PORT", "EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD", "EMAIL_USE_TLS"),
    *("DEFAULT_FROM_EMAIL", "AUTH_RATE", "LOG_LEVEL", "SHOP_LOCALE", "DEPLOY_TIMEOUT", "DEMO"),
)
"""every variable that shop.env may hold"""


class BadOption(Exception):
    """The text is one sentence for the person at the terminal."""


@dataclass(frozen=True, kw_only=True)
class Mail:
    """The server that takes the shop's mails; without a host they are only logged."""

    host: str = ""
    port: int = 587
    user: str = ""
    password: str = field(default="", repr=False)
    starttls: bool = True
    sender: str = "Hivemart <shop@hivemart.example>"


@dataclass(frozen=True, kw_only=True)
class Options:
    """How the shop is deployed."""

    stack: str = "hivemart"
    domain: str = "localhost"
    http_port: int = 80
    https_port: int = 443
    tls: bool = True
    tls_cert: Path | None = None
    tls_key: Path | None = None
    public_url: str = "https://localhost"
    proxies: str = ""
    """networks of the terminators in front, whose X-Forwarded-* the gateway believes; comma separated"""
    registry: str = ""
    """prefix of the images' names; they are pushed there. Empty: they are on every node already"""
    couchdb_image: str = "couchdb:3.5"
    redis_image: str = ""
    azurite_image: str = ""
    """these two: empty for the ones built here"""
    blob_store: str = field(default="", repr=False)
    """a connection string of Azure Storage; empty: Azurite"""
    blob_container: str = "media"
    mail: Mail = field(default_factory=Mail)
    demo: bool = False
    """test cards pay, and every page says so; without it orders need a payment provider"""
    auth_rate: int = 30
    log_level: str = "INFO"
    locale: str = "en-IE"
    timeout: int = 900
    """seconds that a deploy may take until everything is healthy"""


def from_environment(env: Mapping[str, str] = os.environ) -> Options:
    """Return the options. BadOption if one makes no sense."""
    file = Path(env.get("SHOP_ENV") or FILE)
    if env.get("SHOP_ENV") and not file.exists():
        raise BadOption(f"SHOP_ENV={file} is not there.")
    given = (_read(file) if file.exists() else {}) | {name: env[name] for name in KNOWN if env.get(name)}
    return parse(given)


def parse(given: Mapping[str, str]) -> Options:
    """Options from their written form. BadOption if one makes no sense."""
    tls = _boolean(given, "TLS", default=True)
    http_port, https_port = _port(given, "HTTP_PORT", 80), _port(given, "HTTPS_PORT", 443)
    if tls and http_port == https_port:
        raise BadOption(f"HTTP_PORT and HTTPS_PORT are both {http_port}: give each its own, or TLS=off.")
    domain = _matching(given, "DOMAIN", "localhost", r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", "a host name")
    cert, key = _certificate(given, tls)
    return Options(
        stack=_matching(given, "STACK", "hivemart", r"[a-z][a-z0-9-]{0,23}", "a short lower-case name"),
        domain=domain,
        http_port=http_port,
        https_port=https_port,
        tls=tls,
        tls_cert=cert,
        tls_key=key,
        public_url=_public_url(given, tls, domain, https_port if tls else http_port),
        proxies=_networks(given.get("PROXIES", "")),
        registry=given.get("REGISTRY", "").rstrip("/"),
        couchdb_image=given.get("COUCHDB_IMAGE") or "couchdb:3.5",
        redis_image=given.get("REDIS_IMAGE", ""),
        azurite_image=given.get("AZURITE_IMAGE", ""),
        blob_store=_blob_store(given),
        blob_container=_matching(
            given, "AZURE_CONTAINER", "media", r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", "a container's name"
        ),
        mail=_mail(given),
        demo=_boolean(given, "DEMO", default=False),
        auth_rate=_positive_number(given, "AUTH_RATE", 30),
        log_level=given.get("LOG_LEVEL") or "INFO",
        locale=given.get("SHOP_LOCALE") or "en-IE",
        timeout=_positive_number(given, "DEPLOY_TIMEOUT", 900),
    )


def _read(file: Path) -> dict[str, str]:
    """NAME=value lines; everything after the first = belongs to the value."""
    found = {}
    for number, line in enumerate(file.read_text().splitlines(), start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        if not equals:
            raise BadOption(f"{file.name}, line {number}: this is not NAME=value.")
        if name.strip() not in KNOWN:
            raise BadOption(f"{file.name}, line {number}: there is no variable {name.strip()}.")
        found[name.strip()] = value.strip().strip("\"'")
    return found


def _matching(given: Mapping[str, str], name: str, default: str, pattern: str, what: str) -> str:
    text = given.get(name) or default
    if not re.fullmatch(pattern, text):
        raise BadOption(f"{name}={text} is not {what}.")
    return text


def _positive_number(given: Mapping[str, str], name: str, default: int) -> int:
    text = given.get(name) or str(default)
    if not text.isdecimal() or int(text) < 1:
        raise BadOption(f"{name}={text} is not a whole number above 0.")
    return int(text)


def _port(given: Mapping[str, str], name: str, default: int) -> int:
    port = _positive_number(given, name, default)
    if port > 65535:
        raise BadOption(f"{name}={port} is not a port: a number from 1 to 65535.")
    return port


def _boolean(given: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = (given.get(name) or ("on" if default else "off")).lower()
    if text in {"on", "yes", "true", "1"}:
        return True
    if text in {"off", "no", "false", "0"}:
        return False
    raise BadOption(f"{name}={text} is neither on nor off.")


def _public_url(given: Mapping[str, str], tls: bool, domain: str, port: int) -> str:
    scheme = "https" if tls else "http"
    usual = port == (443 if tls else 80)
    url = given.get("PUBLIC_URL") or f"{scheme}://{domain}" + ("" if usual else f":{port}")
    if not re.fullmatch(r"https?://[^/\s]+", url.rstrip("/")):
        raise BadOption(f"PUBLIC_URL={url} is not an address like https://shop.example.org.")
    return url.rstrip("/")


def _networks(text: str) -> str:
    """Addresses and networks as they were written. BadOption if one of them is neither."""
    for part in filter(None, map(str.strip, text.split(","))):
        try:
            ipaddress.ip_network(part)
        except ValueError as error:
            raise BadOption(
                f"PROXIES: {part} is neither an address nor a network like 10.1.0.0/16."
            ) from error
    return text


def _certificate(given: Mapping[str, str], tls: bool) -> tuple[Path | None, Path | None]:
    cert, key = given.get("TLS_CERT"), given.get("TLS_KEY")
    if not cert and not key:
        return None, None
    if not tls:
        raise BadOption("TLS=off and a certificate exclude each other.")
    if not cert or not key:
        raise BadOption("TLS_CERT and TLS_KEY belong together: one of them is missing.")
    for name, path in (("TLS_CERT", cert), ("TLS_KEY", key)):
        if not Path(path).expanduser().is_file():
            raise BadOption(f"{name}={path} is not there.")
    return Path(cert).expanduser(), Path(key).expanduser()


def _blob_store(given: Mapping[str, str]) -> str:
    text = given.get("AZURE_STORAGE_CONNECTION_STRING", "")
    if text and not re.search(r"(AccountName|BlobEndpoint)=", text):
        raise BadOption("AZURE_STORAGE_CONNECTION_STRING names neither an AccountName nor a BlobEndpoint.")
    return text


def _mail(given: Mapping[str, str]) -> Mail:
    if given.get("EMAIL_HOST_USER") and not given.get("EMAIL_HOST"):
        raise BadOption("EMAIL_HOST_USER is set but EMAIL_HOST is not: name the mail server.")
    return Mail(
        host=given.get("EMAIL_HOST", ""),
        port=_port(given, "EMAIL_PORT", 587),
        user=given.get("EMAIL_HOST_USER", ""),
        password=given.get("EMAIL_HOST_PASSWORD", ""),
        starttls=_boolean(given, "EMAIL_USE_TLS", default=True),
        sender=given.get("DEFAULT_FROM_EMAIL") or Mail.sender,
    )
