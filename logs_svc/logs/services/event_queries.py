"""Queries of events: lists for staff, and the history from which reco learns."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from chassis.couch import Page, Repository
from logs import cursors
from logs.domain import Event, SessionIdentity
from logs.domain.months import time_of_id
from logs.event_store import EventStore

_MAX_PAGES = 20
_SAFETY_MARGIN = timedelta(seconds=5)  # after which no event is stored under an older id


@dataclass(frozen=True, slots=True)
class EventFilter:
    """A filter of events, of which all given conditions must hold; `start <= at < end`.

    A user's events include those of the sessions that only they used.
    """

    type: str | None = None
    user: str | None = None
    product: str | None = None
    start: datetime | None = None
    end: datetime | None = None

    def index(self) -> tuple[str, dict[str, Any]]:
        """Return the index that leaves the fewest events, and its first value."""
        if self.user is not None:
            return "by_user", {"user": self.user}
        if self.product is not None:
            return "by_product", {"product_id": self.product}
        if self.type is not None:
            return "by_type", {"type": self.type}
        return "by_time", {}

    def matches(self, event: Event) -> bool:
        return (
            (self.type is None or event.type == self.type)
            and (self.user is None or event.user == self.user)
            and (self.product is None or event.product_id == self.product)
        )


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """A page of the history.

    `next` continues after it and is None at the end. `checkpoint` is where to continue another day: it lies a
    little before the end, as events may be being stored just now.
    """

    events: list[Event]
    next: str | None
    checkpoint: str | None


class EventQueries:
    def __init__(
        self,
        *,
        event_store: EventStore,
        identities: Repository[SessionIdentity],
        sessions: Callable[[str], list[str]],
        clock: Callable[[], datetime],
        wait_until_stored: Callable[[], object],
    ) -> None:
        self._event_store, self._identities, self._sessions = event_store, identities, sessions
        self._clock, self._wait_until_stored = clock, wait_until_stored

    def events_list(self, wanted: EventFilter, *, limit: int, cursor: str | None) -> Page[Event]:
        """Return a page of matching events, the newest first.

        A page may hold fewer than `limit` although more follow: where filters share no index, at most 20
        pages are scanned.
        """
        self._wait_until_stored()
        sessions = self._sessions(wanted.user) if wanted.user is not None else []
        if sessions:
            return self._list_for_user(wanted, sessions, limit, cursor)
        index, where = wanted.index()
        for _ in range(_MAX_PAGES):
            page = self._event_store.find(
                index, where, descending=True, limit=limit, cursor=cursor, start=wanted.start, end=wanted.end
            )
            found = [event for event in page if wanted.matches(event)]
            cursor = page.next
            if found or cursor is None:
                return Page(found, cursor)
        return Page([], cursor)

    def _list_for_user(
        self, wanted: EventFilter, sessions: Sequence[str], limit: int, cursor: str | None
    ) -> Page[Event]:
        """Merge a user's events from several indexes in one order.

        The cursor is the time from which the next page continues, and the ids of that time that were
        returned.
        """
        end, returned = wanted.end, set[str]()
        if cursor is not None:
            at, *ids = cursors.decode(cursor)
            end, returned = datetime.fromisoformat(at) + timedelta(milliseconds=1), set(ids)
        streams = [self._iter_index("by_user", {"user": wanted.user}, wanted.start, end)]
        streams += [
            self._iter_index("by_session", {"session": one}, wanted.start, end) for one in sessions[:50]
        ]
        merged = heapq.merge(*streams, key=lambda event: (event.at, event.id), reverse=True)
        events: list[Event] = []
        known = set(returned)
        for event in merged:
            mine = event.user in (None, wanted.user) and event.id not in known
            known.add(event.id)
            if mine and wanted.matches(_with_owner(event, wanted.user)):
                events.append(_with_owner(event, wanted.user))
            if len(events) > limit:
                break
        page, more = events[:limit], len(events) > limit
        return Page(page, _user_cursor(page, returned) if more else None)

    def _iter_index(self, index: str, where: dict[str, Any], start: Any, end: Any) -> Iterator[Event]:
        cursor = None
        while True:
            page = self._event_store.find(
                index, where, descending=True, limit=100, cursor=cursor, start=start, end=end
            )
            yield from page
            cursor = page.next
            if cursor is None:
                return

    def events_after(self, cursor: str | None, *, limit: int) -> HistoryPage:
        """Return a page of events in order of arrival, each with the account its session belongs to."""
        self._wait_until_stored()
        page = self._event_store.by_arrival(cursor, limit=limit)
        safe_until = self._clock() - _SAFETY_MARGIN
        safe = [after for after, event in page.items if not _is_recent(event.id, safe_until)]
        events = [event for _, event in page.items]
        self._resolve_users(events)
        return HistoryPage(events, page.next, safe[-1] if safe else cursor)

    def tail(self, cursor: str | None, *, limit: int) -> tuple[list[Event], str | None]:
        """Return events after the cursor, oldest first, and the next cursor; without one the newest."""
        page = self._event_store.by_arrival(cursor, limit=limit, newest=cursor is None)
        items = page.items[::-1] if cursor is None else page.items
        return [event for _, event in items], items[-1][0] if items else cursor

    def _resolve_users(self, events: Sequence[Event]) -> None:
        sessions = {event.session for event in events if event.session and event.user is None}
        if not sessions:
            return
        owners = {identity.id: identity.owner for identity in self._identities.get_many(sorted(sessions))}
        for event in events:
            if event.user is None and event.session:
                event.user = owners.get(event.session)


def _is_recent(id: str, safe_until: datetime) -> bool:
    made = time_of_id(id)
    return made is not None and made > safe_until


def _with_owner(event: Event, user: str | None) -> Event:
    event.user = user
    return event


def _user_cursor(page: Sequence[Event], returned: set[str]) -> str:
    last = page[-1].at
    same = [event.id for event in page if event.at == last]
    kept = returned if len(same) == len(page) else set()
    return cursors.encode(last.isoformat(), *same[-20:], *islice(kept, 5))
