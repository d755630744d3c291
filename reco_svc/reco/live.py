"""What happened since the served model learned: read from logs_svc every second while lists are asked for.

It gives live histories, so that a click changes the next page, and a delta of what was looked at together,
until the next training has learned both. All of it is bounded, and only in memory: a process that starts
reads it again from where the model's training stopped.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chassis.siblings import Refused, SiblingDown
from reco.domain import HISTORY, Interaction, Scored

log = logging.getLogger(__name__)

EVERY = 1.0  # seconds between two readings
IDLE = 60.0  # seconds without a question, after which nothing is read any more
PAGES = 20  # of 1,000 events a reading: a long way back is caught up in steps
PEOPLE = 20_000
PAIRS = 300_000
PRODUCTS = 200_000
VISIT = 20  # pairs are made with the newest of a visit: cost is the square, and bots have long ones
SHRINK = 20.0  # as a training begins


@dataclass(frozen=True, slots=True)
class News:
    """A page of events by id. `next`: None at the end; `checkpoint`: from where to read the next time."""

    events: list[tuple[str, Interaction]]
    next: str | None
    checkpoint: str | None


class Source(Protocol):
    def after(self, cursor: str | None) -> News: ...


class Delta:
    """Counts of what was looked at in the same visits, `c / (sqrt(n_i n_j) + shrink)` when read."""

    def __init__(self) -> None:
        self._visits: OrderedDict[str, list[str]] = OrderedDict()
        self._pairs: dict[str, dict[str, int]] = {}
        self._count: dict[str, int] = {}
        self._size = 0

    def add(self, one: Interaction) -> None:
        if one.visit is None:
            return
        book = self._visits.setdefault(one.visit, [])
        self._visits.move_to_end(one.visit)
        if one.product_id in book or len(book) >= HISTORY:
            return
        if one.product_id not in self._count and len(self._count) >= PRODUCTS:
            return  # products are named by whoever tells
        self._count[one.product_id] = self._count.get(one.product_id, 0) + 1
        for other in book[-VISIT:]:
            self._pair(one.product_id, other)
            self._pair(other, one.product_id)
        book.append(one.product_id)
        if len(self._visits) > PEOPLE:
            self._visits.popitem(last=False)

    def near(self, product: str) -> list[Scored]:
        pairs = list(self._pairs.get(product, {}).items())
        if not pairs:
            return []
        own = self._count.get(product, 0)
        scored = ((q, c / ((own * self._count[q]) ** 0.5 + SHRINK)) for q, c in pairs)
        return sorted(scored, key=lambda pair: (-pair[1], pair[0]))

    def _pair(self, one: str, other: str) -> None:
        if other in self._pairs.get(one, {}):
            self._pairs[one][other] += 1
        elif self._size < PAIRS:
            self._pairs.setdefault(one, {})[other] = 1
            self._size += 1


class Live:
    def __init__(self, source: Source, *, tick: Callable[[], float] = time.monotonic) -> None:
        self._source, self._tick = source, tick
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._asked = 0.0
        self._cursor: str | None = None
        self._start_over(None)

    def follow(self, cursor: str | None) -> None:
        """A model that has learned everything up to `cursor` serves now: go on from there."""
        with self._lock:
            self._start_over(cursor)

    def wake(self) -> None:
        """Somebody asks: read on in the background for the next minute."""
        self._asked = self._tick()
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._go_on, name="live events", daemon=True)
            self._thread.start()

    def read(self) -> None:
        """Takes in what is new; while logs is away what is known stays. Never raises."""
        with self._lock:
            try:
                self._read()
            except (SiblingDown, Refused) as error:
                log.warning("live events are out of reach", extra={"reason": str(error)})

    def history(self, people: Iterable[str], since: Callable[[str], datetime | None]) -> list[Interaction]:
        """What these people did, the newest first; nothing of before they wanted it forgotten."""
        found: list[Interaction] = []
        for person in people:
            limit = since(person)
            found += [one for one in list(self._people.get(person, ())) if limit is None or one.at > limit]
        return sorted(found, key=lambda one: one.at, reverse=True)

    def near(self, product: str) -> list[Scored]:
        """What goes with it by the visits since the training."""
        return self._delta.near(product)

    def _start_over(self, cursor: str | None) -> None:
        self._cursor = cursor
        self._people: OrderedDict[str, list[Interaction]] = OrderedDict()
        self._known: OrderedDict[str, None] = OrderedDict()
        self._delta = Delta()

    def _go_on(self) -> None:
        while self._tick() - self._asked < IDLE:
            self.read()
            time.sleep(EVERY)

    def _read(self) -> None:
        cursor = self._cursor
        for _ in range(PAGES):
            news = self._source.after(cursor)
            for id, one in news.events:
                self._hear(id, one)
            self._cursor = news.checkpoint or self._cursor
            cursor = news.next
            if cursor is None:
                return

    def _hear(self, id: str, one: Interaction) -> None:
        # The checkpoint lies some seconds back, so that the newest events come again.
        if id in self._known:
            return
        self._known[id] = None
        while len(self._known) > PEOPLE:
            self._known.popitem(last=False)
        self._delta.add(one)
        for person in {one.person, one.visit} - {None}:
            book = self._people.setdefault(str(person), [])
            self._people.move_to_end(str(person))
            book.append(one)
            del book[: -2 * HISTORY]
        while len(self._people) > PEOPLE:
            self._people.popitem(last=False)
