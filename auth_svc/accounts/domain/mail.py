"""A mail that somebody asked for: written down first, so that it leaves even when the queue was away."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

#: After this nobody waits for it any more.
GIVEN_UP_AFTER = timedelta(hours=6)
#: From an attempt to the next, doubling.
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=15), timedelta(minutes=15)


@dataclass(slots=True)
class MailRequest:
    """`purpose` is reset or verify. It is made for unknown addresses too, so that nobody can tell
    them apart.
    """

    id: str
    purpose: str
    email: str
    asked_at: datetime
    attempts: int = 0
    next_attempt_at: datetime | None = None
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def is_due(self, at: datetime) -> bool:
        return self.next_attempt_at is None or self.next_attempt_at <= at

    def begin_attempt(self, at: datetime) -> bool:
        """Count an attempt before it is made, whatever may become of it; False when none is due."""
        if not self.is_due(at):
            return False
        self.next_attempt_at = at + min(_FIRST_PAUSE * 2 ** min(self.attempts, 10), _LONGEST_PAUSE)
        self.attempts += 1
        return True

    def is_stale(self, at: datetime) -> bool:
        return at - self.asked_at > GIVEN_UP_AFTER
