"""The history loader, which reads all events for a training in parts that survive a killed worker."""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from chassis.clients import Refused
from chassis.couch import Conflict, NotFound, Repository, iter_all
from reco.domain import NEIGHBOURS, Amount, HistoryPart, Interaction, part_id, usable_parts
from reco.recent_events import EventPage

log = logging.getLogger(__name__)

OnProgress = Callable[[Amount], None]
"""Of what has been read so far."""

FILE = "events.json.gz"
PAGES = 20  # of 1,000 events per part: at most that much is read again after a kill


class History(Protocol):
    def after(self, cursor: str | None) -> EventPage:
        """Return a page of events, the oldest arrival first; raises `Refused` for an unknown cursor."""
        ...


class HistoryLoader:
    """Loads the history; `pages` is the number of pages that make a stored part."""

    def __init__(
        self,
        *,
        history: History,
        parts: Repository[HistoryPart],
        clock: Callable[[], datetime],
        pages: int = PAGES,
    ) -> None:
        self._history, self._parts, self._clock, self._pages = history, parts, clock, pages
        self.checkpoint: str | None = None
        """From where to read on another day; known after `read`."""

    def load(self, on_progress: OnProgress) -> list[Interaction]:
        """Return all interactions, oldest arrival first, resuming an interrupted reading.

        `on_progress` is called after each part; what it raises ends the reading, which may be resumed later.
        """
        page, first = self._history.after(None), ""
        if page.events:
            first = page.events[0][0]
        names = _Interner()
        events, parts, page = self._resumed(first, page, names)
        on_progress(names.amount(events))
        start, fresh, is_storing = (parts[-1].end if parts else None), len(events), True
        count = 0
        while True:
            events += (names.intern(one) for _, one in page.events)
            self.checkpoint = page.checkpoint or self.checkpoint
            count += 1
            if page.next is None:
                on_progress(names.amount(events))
                return events
            # A page with events that are being stored may still grow: only complete pages are stored.
            if count % self._pages == 0 and page.next == page.checkpoint:
                is_storing = is_storing and self._store(parts, start, page.next, first, events[fresh:])
                start, fresh = page.next, len(events)
                on_progress(names.amount(events))
            page = self._history.after(page.next)

    def delete_parts(self) -> None:
        """Delete the stored parts."""
        self._drop(self._all())

    def _resumed(
        self, first: str, beginning: EventPage, names: _Interner
    ) -> tuple[list[Interaction], list[HistoryPart], EventPage]:
        """Return the stored parts that fit, and the page after them; delete the others."""
        everything = self._all()
        parts: list[HistoryPart] = []
        events: list[Interaction] = []
        for part in usable_parts(everything, first, self._clock()):
            found = self._opened(part)
            if found is None:
                break
            events += (names.intern(one) for one in found)
            parts.append(part)
        try:
            page = self._history.after(parts[-1].end) if parts else beginning
        except Refused as refused:
            log.warning("reading starts again: logs_svc does not know the cursor: %s", refused)
            events, parts, page = [], [], beginning
        self._drop(everything[len(parts) :])
        return events, parts, page

    def _store(
        self,
        parts: list[HistoryPart],
        start: str | None,
        end: str,
        first: str,
        events: Sequence[Interaction],
    ) -> bool:
        """Store a part; False if another training stores the same reading."""
        data = _packed(events)
        part = HistoryPart(
            id=part_id(len(parts) + 1),
            start=start,
            end=end,
            first=first,
            events=len(events),
            sha256=hashlib.sha256(data).hexdigest(),
            at=parts[0].at if parts else self._clock(),
        )
        try:
            parts.append(self._parts.attach(self._parts.add(part), FILE, data, "application/gzip"))
        except Conflict:
            log.warning("another training stores its parts; this one does not")
            return False
        return True

    def _opened(self, part: HistoryPart) -> list[Interaction] | None:
        """Return the events of a part; None if its file is missing or damaged."""
        try:
            data = self._parts.attachment(part.id, FILE)
        except NotFound:
            return None
        if hashlib.sha256(data).hexdigest() != part.sha256:
            log.warning("a stored part is damaged and is read again", extra={"part": part.id})
            return None
        return _unpacked(data)

    def _all(self) -> list[HistoryPart]:
        return list(iter_all(self._parts.find, "id"))

    def _drop(self, parts: Sequence[HistoryPart]) -> None:
        for part in parts:
            try:
                self._parts.delete(part)
            except (Conflict, NotFound):
                continue  # another worker was quicker


def _packed(events: Sequence[Interaction]) -> bytes:
    rows = [[one.type, one.product_id, one.at.isoformat(), one.user, one.session] for one in events]
    return gzip.compress(json.dumps(rows, separators=(",", ":")).encode(), compresslevel=1, mtime=0)


def _unpacked(data: bytes) -> list[Interaction]:
    rows = json.loads(gzip.decompress(data))
    return [
        Interaction(type, product, datetime.fromisoformat(at), user, session)
        for type, product, at, user, session in rows
    ]


class _Interner:
    """Shares equal texts to save memory, and counts the neighbours of each product.

    A million events name a few thousand products. Neighbours are the interactions beside a product in the
    history of one person or visit, repetitions included.
    """

    def __init__(self) -> None:
        self._types: dict[str, str] = {}
        self._products: dict[str, str] = {}
        self._people: dict[str, str] = {}
        self._done: dict[str, int] = {}
        self._beside: dict[str, int] = {}

    def intern(self, one: Interaction) -> Interaction:
        who = one.user or one.session
        if who and one.weight:
            before = self._done.get(who, 0)
            self._done[who] = before + 1
            # Twice, as on average as many follow an interaction as precede it.
            self._beside[one.product_id] = self._beside.get(one.product_id, 0) + 2 * before
        return Interaction(
            self._types.setdefault(one.type, one.type),
            self._products.setdefault(one.product_id, one.product_id),
            one.at,
            one.user and self._people.setdefault(one.user, one.user),
            one.session and self._people.setdefault(one.session, one.session),
        )

    def amount(self, events: Sequence[Interaction]) -> Amount:
        neighbours = sum(min(NEIGHBOURS, beside) for beside in self._beside.values())
        return Amount(len(events), len(self._products), len(self._people), neighbours)
