"""Old events go away; the audit trail does not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from chassis.couch import Conflict, NotFound, Repository
from logs.domain import Event

_AT_ONCE = 500


class Keeper:
    def __init__(self, *, events: Repository[Event], clock: Callable[[], datetime], kept: timedelta) -> None:
        self._events, self._clock, self._kept = events, clock, kept

    def events_sweep(self) -> int:
        """Delete up to 500 events that are older than `kept`; how many."""
        old = self._events.find("by_time", end=self._clock() - self._kept, limit=_AT_ONCE)
        for event in old:
            try:
                self._events.delete(event)
            except (Conflict, NotFound):
                continue  # another replica's sweeper was quicker
        return len(old)
