"""Mail requests, stored first, so that mails are sent even if the queue was unavailable."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

#: After this a request expires.
REQUEST_LIFETIME = timedelta(hours=6)
#: Delays between attempts, doubling.
_FIRST_RETRY_DELAY, _MAX_RETRY_DELAY = timedelta(seconds=15), timedelta(minutes=15)


@dataclass(slots=True)
class MailRequest:
    """A requested mail; `purpose` is reset or verify.

    Requests are stored for unknown addresses too, so that both cases look the same.
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
        """Count an attempt before it is made; return False if none is due."""
        if not self.is_due(at):
            return False
        self.next_attempt_at = at + min(_FIRST_RETRY_DELAY * 2 ** min(self.attempts, 10), _MAX_RETRY_DELAY)
        self.attempts += 1
        return True

    def is_stale(self, at: datetime) -> bool:
        return at - self.asked_at > REQUEST_LIFETIME
