"""Tokens: signed access tokens, and derived tokens for refreshing and for links in mails."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.domain import Account
from accounts.keys import SigningKey
from chassis.identity import tokens
from chassis.identity.keys import jwk
from chassis.identity.permissions_catalogue import permissions_of

ACCESS_SECONDS = 600
_FORMAT = re.compile(r"([0-9a-f-]{36})\.([0-9a-zA-Z]{1,64})\.([A-Za-z0-9_-]{43})\Z")


@dataclass(frozen=True, slots=True)
class TokenPair:
    """The tokens of a sign-in; `expires_in` is the access token's lifetime in seconds."""

    access: str
    refresh: str
    token_type: str = "Bearer"  # noqa: S105 - a scheme of HTTP
    expires_in: int = ACCESS_SECONDS


class AccessTokens:
    """Signs access tokens with the first key and publishes all keys."""

    def __init__(self, signing: Sequence[SigningKey]) -> None:
        self._signing = tuple(signing)

    def issue(self, account: Account, at: datetime) -> str:
        """Return an access token for the account, valid for ten minutes."""
        claims = tokens.access_claims(
            account_id=account.id,
            roles=account.roles,
            permissions=permissions_of(account.roles),
            email_verified=account.email_verified,
            seconds=ACCESS_SECONDS,
            now=at.timestamp(),
        )
        return tokens.sign(claims, key=self._signing[0].key, kid=self._signing[0].kid)

    def jwks(self) -> dict[str, Any]:
        """Return the public keys as a JSON Web Key Set (RFC 7517)."""
        return {"keys": [jwk(one.kid, one.key) for one in self._signing]}


class DerivedTokens:
    """Tokens `<id>.<part>.<mac>` derived from a key: they can be made again, and none is stored."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def make(self, purpose: str, id: str, part: str) -> str:
        """Return the token for that purpose."""
        mac = hmac.new(self._key, f"{purpose}:{id}:{part}".encode(), hashlib.sha256).digest()
        return f"{id}.{part}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"

    def read(self, purpose: str, token: str) -> tuple[str, str] | None:
        """Return (id, part) of a token made for that purpose, or None for any other text."""
        found = _FORMAT.match(token)
        if found is None:
            return None
        id, part = found[1], found[2]
        return (id, part) if hmac.compare_digest(self.make(purpose, id, part), token) else None


def digest(token: str) -> str:
    """Return the hash that is stored instead of a token.

    Tokens are long and random, so a plain SHA-256 is enough.
    """
    return hashlib.sha256(token.encode()).hexdigest()
