"""Events, a page at a time, as staff look for them and as reco learns from them."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from chassis.couch import Page, Repository
from logs import cursors
from logs.archive import Archive
from logs.domain import Event, Tie
from logs.domain.months import moment_of_id

_PAGES_LOOKED_THROUGH = 20
_SETTLED = timedelta(seconds=5)  # after which nothing is stored any more under an older name


@dataclass(frozen=True, slots=True)
class EventFilter:
    """All that is given must hold; `start <= at < end`. A user's events are also those of the sessions that
    were theirs alone.
    """

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


@dataclass(frozen=True, slots=True)
class History:
    """A page of what happened. `next` goes on where it ends, None at the end; `checkpoint` is from where to
    read another day, and lies a little before the end, for events that are being stored just now.
    """

    events: list[Event]
    next: str | None
    checkpoint: str | None


class Reading:
    def __init__(
        self,
        *,
        archive: Archive,
        ties: Repository[Tie],
        sessions: Callable[[str], list[str]],
        clock: Callable[[], datetime],
        settle: Callable[[], object],
    ) -> None:
        self._archive, self._ties, self._sessions = archive, ties, sessions
        self._clock, self._settle = clock, settle

    def events_list(self, wanted: EventFilter, *, limit: int, cursor: str | None) -> Page[Event]:
        """The newest first. A page may hold fewer than `limit` although more follow: where filters share no
        index, 20 pages at most are looked through.
        """
        self._settle()
        sessions = self._sessions(wanted.user) if wanted.user is not None else []
        if sessions:
            return self._list_of_person(wanted, sessions, limit, cursor)
        index, where = wanted.index()
        for _ in range(_PAGES_LOOKED_THROUGH):
            page = self._archive.find(
                index, where, descending=True, limit=limit, cursor=cursor, start=wanted.start, end=wanted.end
            )
            found = [event for event in page if wanted.holds(event)]
            cursor = page.next
            if found or cursor is None:
                return Page(found, cursor)
        return Page([], cursor)

    def _list_of_person(
        self, wanted: EventFilter, sessions: Sequence[str], limit: int, cursor: str | None
    ) -> Page[Event]:
        """From several indexes, in one order; the cursor is the time before which the page goes on, and the
        ids of that very time that were given.
        """
        end, given = wanted.end, set[str]()
        if cursor is not None:
            at, *ids = cursors.decode(cursor)
            end, given = datetime.fromisoformat(at) + timedelta(milliseconds=1), set(ids)
        streams = [self._walk("by_user", {"user": wanted.user}, wanted.start, end)]
        streams += [self._walk("by_session", {"session": one}, wanted.start, end) for one in sessions[:50]]
        merged = heapq.merge(*streams, key=lambda event: (event.at, event.id), reverse=True)
        events: list[Event] = []
        known = set(given)
        for event in merged:
            mine = event.user in (None, wanted.user) and event.id not in known
            known.add(event.id)
            if mine and wanted.holds(_owned(event, wanted.user)):
                events.append(_owned(event, wanted.user))
            if len(events) > limit:
                break
        page, more = events[:limit], len(events) > limit
        return Page(page, _person_cursor(page, given) if more else None)

    def _walk(self, index: str, where: dict[str, Any], start: Any, end: Any) -> Iterator[Event]:
        cursor = None
        while True:
            page = self._archive.find(
                index, where, descending=True, limit=100, cursor=cursor, start=start, end=end
            )
            yield from page
            cursor = page.next
            if cursor is None:
                return

    def events_after(self, cursor: str | None, *, limit: int) -> History:
        """In the order in which they arrived, each with the account that its session turned out to be."""
        self._settle()
        page = self._archive.arrivals(cursor, limit=limit)
        settled = self._clock() - _SETTLED
        safe = [after for after, event in page.items if not _just_now(event.id, settled)]
        events = [event for _, event in page.items]
        self._tie(events)
        return History(events, page.next, safe[-1] if safe else cursor)

    def tail(self, cursor: str | None, *, limit: int) -> tuple[list[Event], str | None]:
        """What arrived after the cursor, the oldest first, and where to go on; without one the newest."""
        page = self._archive.arrivals(cursor, limit=limit, newest=cursor is None)
        items = page.items[::-1] if cursor is None else page.items
        return [event for _, event in items], items[-1][0] if items else cursor

    def _tie(self, events: Sequence[Event]) -> None:
        sessions = {event.session for event in events if event.session and event.user is None}
        if not sessions:
            return
        owners = {tie.id: tie.owner for tie in self._ties.get_many(sorted(sessions))}
        for event in events:
            if event.user is None and event.session:
                event.user = owners.get(event.session)


def _just_now(id: str, settled: datetime) -> bool:
    made = moment_of_id(id)
    return made is not None and made > settled


def _owned(event: Event, user: str | None) -> Event:
    event.user = user
    return event


def _person_cursor(page: Sequence[Event], given: set[str]) -> str:
    last = page[-1].at
    same = [event.id for event in page if event.at == last]
    kept = given if len(same) == len(page) else set()
    return cursors.encode(last.isoformat(), *same[-20:], *islice(kept, 5))
