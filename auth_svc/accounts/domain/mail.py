"""A mail that somebody asked for: written down first, so that it leaves even when the queue was away."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

#: After this nobody waits for it any more.
GIVEN_UP_AFTER = timedelta(hours=6)


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
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def is_stale(self, at: datetime) -> bool:
        return at - self.asked_at > GIVEN_UP_AFTER
