"""Signing keys of access tokens.

The first key signs; all are published, so that others know the next key before it is used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from chassis.identity import keys


@dataclass(frozen=True)
class SigningKey:
    """A private key and its id."""

    kid: str
    key: Ed25519PrivateKey


def parse_signing_key(text: str) -> SigningKey:
    """Return the key of `kid:base64` or plain base64; without a kid it is derived from the public key."""
    kid, _, encoded = text.strip().rpartition(":")
    key = keys.private_key(encoded)
    return SigningKey(kid or _key_id(key), key)


def _key_id(key: Ed25519PrivateKey) -> str:
    return hashlib.sha256(key.public_key().public_bytes_raw()).hexdigest()[:16]


def load_signing_keys() -> tuple[SigningKey, ...]:
    """Return the keys of AUTH_SIGNING_KEYS, the current one first.

    Without the setting (development) two keys are derived from SECRET_KEY.
    """
    if settings.AUTH_SIGNING_KEYS:
        named = {one.kid: one for one in map(parse_signing_key, settings.AUTH_SIGNING_KEYS)}
        return tuple(named.values())  # each once, in the order of first mention
    return tuple(_derived(name) for name in ("current", "next"))


def _derived(name: str) -> SigningKey:
    seed = HKDF(SHA256(), 32, salt=None, info=f"hivemart access tokens {name}".encode())
    key = Ed25519PrivateKey.from_private_bytes(seed.derive(settings.SECRET_KEY.encode()))
    return SigningKey(_key_id(key), key)


class LocalKeys:
    """The published keys for chassis.identity inside auth, without a request over HTTP."""

    def __init__(self, signing: Sequence[SigningKey]) -> None:
        self._public = {one.kid: one.key.public_key() for one in signing}

    def get(self, kid: str) -> Ed25519PublicKey | None:
        return self._public.get(kid)


def own_keys() -> LocalKeys:
    """Return the key source that settings.ACCESS_KEYS names."""
    return LocalKeys(load_signing_keys())
