"""The keys that sign access tokens: the first signs, all are published, so that the next is known before it
is used.
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


def parse(text: str) -> SigningKey:
    """`kid:base64`, or the base64 alone; then the id follows from the public half."""
    kid, _, encoded = text.strip().rpartition(":")
    key = keys.private_key(encoded)
    return SigningKey(kid or _thumb(key), key)


def _thumb(key: Ed25519PrivateKey) -> str:
    return hashlib.sha256(key.public_key().public_bytes_raw()).hexdigest()[:16]


def configured() -> tuple[SigningKey, ...]:
    """From AUTH_SIGNING_KEYS, current first. Without it (a laptop) two that follow from SECRET_KEY."""
    if settings.AUTH_SIGNING_KEYS:
        named = {one.kid: one for one in map(parse, settings.AUTH_SIGNING_KEYS)}
        return tuple(named.values())  # each once, in the order of first mention
    return tuple(_derived(name) for name in ("current", "next"))


def _derived(name: str) -> SigningKey:
    seed = HKDF(SHA256(), 32, salt=None, info=f"hivemart access tokens {name}".encode())
    key = Ed25519PrivateKey.from_private_bytes(seed.derive(settings.SECRET_KEY.encode()))
    return SigningKey(_thumb(key), key)


class OwnKeys:
    """What chassis.identity verifies with inside auth: the published keys, without asking ourselves over
    HTTP.
    """

    def __init__(self, signing: Sequence[SigningKey]) -> None:
        self._public = {one.kid: one.key.public_key() for one in signing}

    def get(self, kid: str) -> Ed25519PublicKey | None:
        return self._public.get(kid)


def own_keys() -> OwnKeys:
    """The factory that settings.ACCESS_KEYS names."""
    return OwnKeys(configured())
