"""Sessions: families of refresh tokens for shoppers, opaque ones for staff."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

#: A rotated token asked for again within this time is a lost answer, and gets the same successor.
GRACE = timedelta(seconds=10)


class Outcome(Enum):
    """What presenting a refresh token means."""

    ROTATED = "rotated"
    REPEATED = "repeated"
    REFUSED = "refused"
    REUSED = "reused"


@dataclass(slots=True)
class Family:
    """One sign-in, and the refresh tokens that came of it, each made from the last. Only hashes are
    stored.
    """

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

    def present(self, token_hash: str, at: datetime) -> Outcome:
        """What the token's holder gets. REUSED is a token from the past: somebody has stolen one."""
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
    """A member of staff signed in to the admins. Its id is the hash of what the cookie holds."""

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
