"""Known keys and ready tokens for tests.

`install()` (done by chassis.testing.django.setup) puts the known keys where identity looks for its own:

    client.get("/api/auth/me", headers=bearer(make_token(sub="a1")))
    client.post("/internal/…", headers=service_headers("checkout", "catalog"))
"""

from __future__ import annotations

import hashlib
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

from chassis.identity import keys, tokens
from chassis.identity.permissions_catalogue import permissions_of

KID = "test-key"


def key_of(name: str) -> Ed25519PrivateKey:
    """Return the same private key for the same name, in every process."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"test:{name}".encode()).digest())


AUTH_KEY = key_of("auth-access")


class TestAccessKeys:
    """Auth's one public key, without auth."""

    __test__ = False

    def __init__(self, **more: Ed25519PublicKey) -> None:
        self.keys = {KID: AUTH_KEY.public_key(), **more}

    def get(self, kid: str) -> Ed25519PublicKey | None:
        return self.keys.get(kid)


class TestServiceKeys:
    """Every service has a key that its name determines."""

    __test__ = False

    def private(self) -> Ed25519PrivateKey:
        return key_of(settings.SERVICE)

    def public(self, service: str) -> Ed25519PublicKey | None:
        return key_of(service).public_key()


_installed = False


def install() -> None:
    """Make this process sign and verify with the known keys, from now on."""
    global _installed  # noqa: PLW0603  # once per process, however many conftests ask
    if _installed:
        return
    _installed = True
    keys.access_keys.install(TestAccessKeys())
    keys.service_keys.install(TestServiceKeys())


def make_token(
    sub: str = "account-1",
    roles: list[str] | tuple[str, ...] = ("customer",),
    permissions: list[str] | tuple[str, ...] | frozenset[str] | None = None,
    *,
    email_verified: bool = True,
    seconds: int = 600,
    key: Ed25519PrivateKey = AUTH_KEY,
    kid: str = KID,
    **claims: Any,
) -> str:
    """Return an access token; `permissions` are the roles' unless given."""
    held = permissions_of(tuple(roles)) if permissions is None else permissions
    made = tokens.access_claims(
        account_id=sub,
        roles=list(roles),
        permissions=list(held),
        email_verified=email_verified,
        seconds=seconds,
    )
    return tokens.sign({**made, **claims}, key=key, kid=kid)


def bearer(token: str | None = None, **kwargs: Any) -> dict[str, str]:
    """Headers of a person: `bearer()` a customer, `bearer(roles=["admin"])` staff, or of that token."""
    return {"Authorization": f"Bearer {token or make_token(**kwargs)}"}


def staff(*permissions: str, sub: str = "staff-1") -> dict[str, str]:
    """Headers of a member of staff with these permissions and no others."""
    return bearer(sub=sub, roles=("support",), permissions=permissions)


def service_headers(caller: str, callee: str | None = None) -> dict[str, str]:
    """Headers of a service; `callee` is the service under test unless given."""
    token = tokens.service_token(caller, callee or settings.SERVICE, key=key_of(caller))
    return {"X-Service-Token": token}
