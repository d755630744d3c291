"""Events refused five times: parked where staff see them, and sent again when they say so."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from chassis.clock import now
from chassis.couch import Collection, Conflict, Index, Repository, couch_repository

from .delivery import Deliver, deliver_over_http
from .envelope import Rejected


@dataclass(slots=True)
class DeadLetter:
    """One event for one subscriber. `status` is `parked` or `sent`."""

    id: str
    subscriber: str
    event: dict[str, Any]
    reason: str
    parked_at: datetime
    status: str = "parked"
    sent_at: datetime | None = None
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def mark_sent(self, at: datetime) -> None:
        self.status, self.sent_at = "sent", at
        self.version += 1


@cache
def dead_letters(database: str) -> Collection[DeadLetter]:
    """Return the collection of dead letters in a source's database, for `container.COLLECTIONS`."""
    return Collection(
        database=database,
        kind="deadletter",
        type=DeadLetter,
        indexes=(Index("status", ("status", "parked_at")), Index("parked_at", ("parked_at",))),
    )


class DeadLetters:
    """The use cases: park, list, send again."""

    def __init__(
        self,
        database: str,
        *,
        repository: Repository[DeadLetter] | None = None,
        deliver: Deliver | None = None,
    ) -> None:
        self.letters = repository or couch_repository(dead_letters(database))
        self._deliver = deliver or deliver_over_http

    def park(self, subscriber: str, event: dict[str, Any], reason: str) -> None:
        """Keep an event that was refused; once, however often it is parked."""
        letter = DeadLetter(f"{subscriber}.{event['id']}", subscriber, event, reason[:500], now())
        try:
            self.letters.add(letter)
        except Conflict:
            return

    def resend(self, id: str) -> DeadLetter:
        """Deliver it once more.

        Raises NotFound, SubscriberUnavailable, or Rejected when it is refused again.
        """
        letter = self.letters.get(id)
        result = self._deliver(letter.subscriber, [letter.event])[0]
        if result.get("status") == "rejected":
            raise Rejected(str(result.get("reason", "refused again")))
        return self.letters.update(id, lambda found: found.mark_sent(now()))
