"""Ed25519 keys as they are configured, and where a process finds those that it needs."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

from chassis.container import Container


class BadKey(ValueError):
    """A configured key is not 32 bytes of base64."""


class AccessKeys(Protocol):
    """Auth's public keys, by key id; None for one that is not (or no longer) published."""

    def get(self, kid: str) -> Ed25519PublicKey | None: ...


class ServiceKeys(Protocol):
    """The services' keys: this one's own private one, and everybody's public ones."""

    def private(self) -> Ed25519PrivateKey: ...
    def public(self, service: str) -> Ed25519PublicKey | None: ...


def _raw(text: str) -> bytes:
    try:
        raw = base64.b64decode(text.strip().replace("-", "+").replace("_", "/") + "==", validate=False)
    except binascii.Error as error:
        raise BadKey("a key is not base64") from error
    if len(raw) != 32:
        raise BadKey("an Ed25519 key has 32 bytes")
    return raw


def private_key(text: str) -> Ed25519PrivateKey:
    """From base64 of the 32 raw bytes."""
    return Ed25519PrivateKey.from_private_bytes(_raw(text))


def public_key(text: str) -> Ed25519PublicKey:
    """From base64 (or base64url, as a JWK's `x`) of the 32 raw bytes."""
    return Ed25519PublicKey.from_public_bytes(_raw(text))


def public_text(key: Ed25519PrivateKey | Ed25519PublicKey) -> str:
    """Return the public half as base64 of its raw bytes."""
    public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
    return base64.b64encode(public.public_bytes_raw()).decode()


def jwk(kid: str, key: Ed25519PrivateKey | Ed25519PublicKey) -> dict[str, str]:
    """Return the public half as a JSON Web Key (RFC 8037)."""
    x = public_text(key).replace("+", "-").replace("/", "_").rstrip("=")
    return {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": kid, "x": x}


def from_jwks(document: Mapping[str, Any]) -> dict[str, Ed25519PublicKey]:
    """Key id -> key of a JWKS; what is not an Ed25519 signature key is left out."""
    found = {}
    for entry in document.get("keys", []):
        if entry.get("kty") == "OKP" and entry.get("crv") == "Ed25519" and entry.get("kid"):
            found[str(entry["kid"])] = public_key(str(entry["x"]))
    return found


class ConfiguredServiceKeys:
    """From SERVICE_PRIVATE_KEY and SERVICE_PUBLIC_KEYS (a mapping, or its JSON)."""

    def __init__(self, private: str, public: str | Mapping[str, str]) -> None:
        self._private = private
        table = json.loads(public or "{}") if isinstance(public, str) else public
        self._public = {service: public_key(text) for service, text in table.items()}

    def private(self) -> Ed25519PrivateKey:
        if not self._private:
            raise BadKey("SERVICE_PRIVATE_KEY is not set: this service cannot call its services")
        return private_key(self._private)

    def public(self, service: str) -> Ed25519PublicKey | None:
        return self._public.get(service)


def _service_keys() -> ServiceKeys:
    return ConfiguredServiceKeys(settings.SERVICE_PRIVATE_KEY, settings.SERVICE_PUBLIC_KEYS)


def _access_keys() -> AccessKeys:
    """Auth names a provider of its own in settings (`ACCESS_KEYS`, a path); all others fetch the JWKS."""
    from django.utils.module_loading import import_string

    factory = import_string(getattr(settings, "ACCESS_KEYS", "chassis.identity.jwks.from_settings"))
    provider: AccessKeys = factory()
    return provider


# The two seams of identity: tests put known keys here (chassis.testing.identity), nothing else does.
service_keys: Container[ServiceKeys] = Container(_service_keys)
access_keys: Container[AccessKeys] = Container(_access_keys)
