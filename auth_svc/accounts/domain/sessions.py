"""Sessions: families of refresh tokens for shoppers, opaque sessions for staff."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

#: A rotated token presented again within this time gets the same successor: its response was lost.
GRACE = timedelta(seconds=10)


class Outcome(Enum):
    """The result of presenting a refresh token."""

    ROTATED = "rotated"
    REPEATED = "repeated"
    REFUSED = "refused"
    REUSED = "reused"


@dataclass(slots=True)
class TokenFamily:
    """One sign-in and its refresh tokens, each derived from the last. Only hashes are stored."""

    id: str
    account_id: str
    created_at: datetime
    expires_at: datetime
    token_hash: str
    generation: int = 1
    previous_hash: str = ""
    rotated_at: datetime | None = None
    revoked_at: datetime | None = None
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def is_live(self, at: datetime) -> bool:
        return self.revoked_at is None and self.expires_at > at

    def evaluate(self, token_hash: str, at: datetime) -> Outcome:
        """Return the outcome for a presented token; REUSED is an old token, which may be stolen."""
        if not self.is_live(at):
            return Outcome.REFUSED
        if token_hash == self.token_hash:
            return Outcome.ROTATED
        lost = token_hash == self.previous_hash and self.rotated_at is not None
        if lost and at - (self.rotated_at or at) <= GRACE:
            return Outcome.REPEATED
        return Outcome.REUSED

    def rotate(self, successor_hash: str, at: datetime) -> None:
        self.previous_hash, self.token_hash = self.token_hash, successor_hash
        self.generation += 1
        self.rotated_at = at
        self.version += 1

    def revoke(self, at: datetime) -> None:
        if self.revoked_at is None:
            self.revoked_at = at
            self.version += 1


@dataclass(slots=True)
class StaffSession:
    """A session of staff in the admins; its id is the hash of the cookie's value."""

    id: str
    account_id: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def is_live(self, at: datetime) -> bool:
        return self.revoked_at is None and self.expires_at > at

    def revoke(self, at: datetime) -> None:
        if self.revoked_at is None:
            self.revoked_at = at
            self.version += 1
