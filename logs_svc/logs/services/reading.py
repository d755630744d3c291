"""Events and audit entries, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chassis.couch import Page, Repository
from logs.domain import AuditEntry, Event

_PAGES_LOOKED_THROUGH = 20


@dataclass(frozen=True, slots=True)
class EventFilter:
    """All that is given must hold; `start <= at < end`."""

    type: str | None = None
    user: str | None = None
    product: str | None = None
    start: datetime | None = None
    end: datetime | None = None

    def index(self) -> tuple[str, dict[str, Any]]:
        """The index that leaves the fewest events, and its first value."""
        if self.user is not None:
            return "by_user", {"user": self.user}
        if self.product is not None:
            return "by_product", {"product_id": self.product}
        if self.type is not None:
            return "by_type", {"type": self.type}
        return "by_time", {}

    def holds(self, event: Event) -> bool:
        return (
            (self.type is None or event.type == self.type)
            and (self.user is None or event.user == self.user)
            and (self.product is None or event.product_id == self.product)
        )


class Reading:
    def __init__(self, *, events: Repository[Event], audit: Repository[AuditEntry]) -> None:
        self._events, self._audit = events, audit

    def events_list(self, wanted: EventFilter, *, limit: int, cursor: str | None) -> Page[Event]:
        """The newest first. A page may hold fewer than `limit` although more follow: where filters share no
        index, 20 pages at most are looked through.
        """
        index, where = wanted.index()
        for _ in range(_PAGES_LOOKED_THROUGH):
            page = self._events.find(
                index, where, descending=True, limit=limit, cursor=cursor, start=wanted.start, end=wanted.end
            )
            found = [event for event in page if wanted.holds(event)]
            cursor = page.next
            if found or cursor is None:
                return Page(found, cursor)
        return Page([], cursor)

    def events_after(self, cursor: str | None, *, limit: int) -> Page[Event]:
        """In the order in which they arrived; `next` goes on where this page ends."""
        return self._events.find("by_arrival", limit=limit, cursor=cursor)

    def audit_list(
        self, *, actor: str | None, object: str | None, limit: int, cursor: str | None
    ) -> Page[AuditEntry]:
        """The newest first."""
        where = {"actor": actor, "object_id": object}
        where = {name: value for name, value in where.items() if value is not None}
        index = {(): "by_time", ("actor",): "by_actor", ("object_id",): "by_object"}.get(
            tuple(where), "by_both"
        )
        return self._audit.find(index, where, descending=True, limit=limit, cursor=cursor)
