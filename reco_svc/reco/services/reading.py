"""Reading the whole history for a training, in parts that outlive a worker which is killed."""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from chassis.couch import Conflict, NotFound, Repository, every
from chassis.siblings import Refused
from reco.domain import NEIGHBOURS, Amount, Interaction, ReadPart, fitting, part_id
from reco.live import News

log = logging.getLogger(__name__)

Told = Callable[[Amount], None]
"""Of what has been read so far."""

FILE = "events.json.gz"
PAGES = 20  # of 1,000 events a part: what a killed worker's follower reads again at most


class History(Protocol):
    def after(self, cursor: str | None) -> News:
        """A page of what happened, the oldest arrival first; `Refused` for an unknown cursor."""
        ...


class Reading:
    """`pages`: how many pages of the history make a part that is kept."""

    def __init__(
        self,
        *,
        history: History,
        parts: Repository[ReadPart],
        clock: Callable[[], datetime],
        pages: int = PAGES,
    ) -> None:
        self._history, self._parts, self._clock, self._pages = history, parts, clock, pages
        self.checkpoint: str | None = None
        """From where to read on another day; known after `read`."""

    def read(self, told: Told) -> list[Interaction]:
        """Everything that says something of taste, oldest arrival first, from where the last reading was
        cut off. `told` is called a part apart; what it raises ends the reading, which may go on later."""
        page, first = self._history.after(None), ""
        if page.events:
            first = page.events[0][0]
        names = _Names()
        events, parts, page = self._resumed(first, page, names)
        told(names.counted(events))
        start, fresh, keeping = (parts[-1].end if parts else None), len(events), True
        count = 0
        while True:
            events += (names.shared(one) for _, one in page.events)
            self.checkpoint = page.checkpoint or self.checkpoint
            count += 1
            if page.next is None:
                told(names.counted(events))
                return events
            # A page with events that are being stored just now may grow: only settled ones are kept.
            if count % self._pages == 0 and page.next == page.checkpoint:
                keeping = keeping and self._keep(parts, start, page.next, first, events[fresh:])
                start, fresh = page.next, len(events)
                told(names.counted(events))
            page = self._history.after(page.next)

    def throw_away(self) -> None:
        """What was kept is not needed any more."""
        self._drop(self._all())

    def _resumed(
        self, first: str, beginning: News, names: _Names
    ) -> tuple[list[Interaction], list[ReadPart], News]:
        """What is kept and fits, and the page after it; what does not fit is thrown away."""
        everything = self._all()
        parts: list[ReadPart] = []
        events: list[Interaction] = []
        for part in fitting(everything, first, self._clock()):
            found = self._opened(part)
            if found is None:
                break
            events += (names.shared(one) for one in found)
            parts.append(part)
        try:
            page = self._history.after(parts[-1].end) if parts else beginning
        except Refused as refused:
            log.warning("the reading begins anew: logs does not know where it ended: %s", refused)
            events, parts, page = [], [], beginning
        self._drop(everything[len(parts) :])
        return events, parts, page

    def _keep(
        self,
        parts: list[ReadPart],
        start: str | None,
        end: str,
        first: str,
        events: Sequence[Interaction],
    ) -> bool:
        """False when somebody else keeps the same reading: one of the two is enough."""
        data = _packed(events)
        part = ReadPart(
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
            log.warning("another training keeps its reading: this one does not")
            return False
        return True

    def _opened(self, part: ReadPart) -> list[Interaction] | None:
        """The events of a part; None when its file is missing, cut short or changed."""
        try:
            data = self._parts.attachment(part.id, FILE)
        except NotFound:
            return None
        if hashlib.sha256(data).hexdigest() != part.sha256:
            log.warning("a part of the reading is damaged: it is read again", extra={"part": part.id})
            return None
        return _unpacked(data)

    def _all(self) -> list[ReadPart]:
        return list(every(self._parts.find, "id"))

    def _drop(self, parts: Sequence[ReadPart]) -> None:
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


class _Names:
    """Each text held once: a million events name a few thousand products. It also counts how many things
    stand beside each product in histories, those of one person or visit, a thing that comes again too."""

    def __init__(self) -> None:
        self._types: dict[str, str] = {}
        self._products: dict[str, str] = {}
        self._people: dict[str, str] = {}
        self._done: dict[str, int] = {}
        self._beside: dict[str, int] = {}

    def shared(self, one: Interaction) -> Interaction:
        who = one.user or one.session
        if who and one.weight:
            before = self._done.get(who, 0)
            self._done[who] = before + 1
            # Twice: as many come after a thing as before it, as long as it has no place of its own.
            self._beside[one.product_id] = self._beside.get(one.product_id, 0) + 2 * before
        return Interaction(
            self._types.setdefault(one.type, one.type),
            self._products.setdefault(one.product_id, one.product_id),
            one.at,
            one.user and self._people.setdefault(one.user, one.user),
            one.session and self._people.setdefault(one.session, one.session),
        )

    def counted(self, events: Sequence[Interaction]) -> Amount:
        neighbours = sum(min(NEIGHBOURS, beside) for beside in self._beside.values())
        return Amount(len(events), len(self._products), len(self._people), neighbours)
