"""Recent events: interactions since the served model's training, read from logs_svc every second.

They give recent histories, so that a click changes the next page, and co-visit counts, until the next
training has learned both. Everything is bounded and only in memory: a new process reads it again from where
the model's training stopped. Reading pauses while no lists are requested.
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

from chassis.clients import Refused, ServiceUnavailable
from reco.domain import HISTORY, Interaction, Scored

log = logging.getLogger(__name__)

READ_INTERVAL = 1.0  # seconds between two reads
IDLE = 60.0  # seconds without a request after which reading pauses
MAX_PAGES = 20  # of 1,000 events per read: a long backlog is read in steps
MAX_PEOPLE = 20_000
MAX_PAIRS = 300_000
MAX_PRODUCTS = 200_000
MAX_VISIT_PAIRS = (
    20  # newest products of a visit that are paired: the cost is quadratic, and bots have long visits
)
SHRINK = 20.0  # the initial value of a training


@dataclass(frozen=True, slots=True)
class EventPage:
    """A page of events with their ids.

    `next` is None at the end. `checkpoint` is where to continue the next time.
    """

    events: list[tuple[str, Interaction]]
    next: str | None
    checkpoint: str | None


class Source(Protocol):
    def after(self, cursor: str | None) -> EventPage: ...


class CoVisits:
    """Counts of products viewed in the same visits, scored as `c / (sqrt(n_i n_j) + shrink)`."""

    def __init__(self) -> None:
        self._visits: OrderedDict[str, list[str]] = OrderedDict()
        self._pairs: dict[str, dict[str, int]] = {}
        self._count: dict[str, int] = {}
        self._size = 0

    def add(self, one: Interaction) -> None:
        if one.visit is None:
            return
        items = self._visits.setdefault(one.visit, [])
        self._visits.move_to_end(one.visit)
        if one.product_id in items or len(items) >= HISTORY:
            return
        if one.product_id not in self._count and len(self._count) >= MAX_PRODUCTS:
            return  # callers choose product ids
        self._count[one.product_id] = self._count.get(one.product_id, 0) + 1
        for other in items[-MAX_VISIT_PAIRS:]:
            self._pair(one.product_id, other)
            self._pair(other, one.product_id)
        items.append(one.product_id)
        if len(self._visits) > MAX_PEOPLE:
            self._visits.popitem(last=False)

    def neighbours(self, product: str) -> list[Scored]:
        pairs = list(self._pairs.get(product, {}).items())
        if not pairs:
            return []
        own = self._count.get(product, 0)
        scored = ((q, c / ((own * self._count[q]) ** 0.5 + SHRINK)) for q, c in pairs)
        return sorted(scored, key=lambda pair: (-pair[1], pair[0]))

    def _pair(self, one: str, other: str) -> None:
        if other in self._pairs.get(one, {}):
            self._pairs[one][other] += 1
        elif self._size < MAX_PAIRS:
            self._pairs.setdefault(one, {})[other] = 1
            self._size += 1


class RecentEvents:
    def __init__(self, source: Source, *, tick: Callable[[], float] = time.monotonic) -> None:
        self._source, self._tick = source, tick
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._requested_at = 0.0
        self._cursor: str | None = None
        self._reset(None)

    def follow(self, cursor: str | None) -> None:
        """Start again from `cursor`, up to which the newly served model has learned."""
        with self._lock:
            self._reset(cursor)

    def wake(self) -> None:
        """Read events in the background for the next minute."""
        self._requested_at = self._tick()
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="recent events", daemon=True)
            self._thread.start()

    def read(self) -> None:
        """Read new events; keep the known ones while logs_svc is unavailable. Never raises."""
        with self._lock:
            try:
                self._read()
            except (ServiceUnavailable, Refused) as error:
                log.warning("recent events are unavailable", extra={"reason": str(error)})

    def history(self, people: Iterable[str], since: Callable[[str], datetime | None]) -> list[Interaction]:
        """Return these people's interactions, newest first, without those before an erasure request."""
        found: list[Interaction] = []
        for person in people:
            limit = since(person)
            found += [one for one in list(self._people.get(person, ())) if limit is None or one.at > limit]
        return sorted(found, key=lambda one: one.at, reverse=True)

    def neighbours(self, product: str) -> list[Scored]:
        """Return the neighbours of a product by visits since the training."""
        return self._co_visits.neighbours(product)

    def _reset(self, cursor: str | None) -> None:
        self._cursor = cursor
        self._people: OrderedDict[str, list[Interaction]] = OrderedDict()
        self._known: OrderedDict[str, None] = OrderedDict()
        self._co_visits = CoVisits()

    def _run(self) -> None:
        while self._tick() - self._requested_at < IDLE:
            self.read()
            time.sleep(READ_INTERVAL)

    def _read(self) -> None:
        cursor = self._cursor
        for _ in range(MAX_PAGES):
            page = self._source.after(cursor)
            for id, one in page.events:
                self._add(id, one)
            self._cursor = page.checkpoint or self._cursor
            cursor = page.next
            if cursor is None:
                return

    def _add(self, id: str, one: Interaction) -> None:
        # The checkpoint is some seconds back, so the newest events are read again.
        if id in self._known:
            return
        self._known[id] = None
        while len(self._known) > MAX_PEOPLE:
            self._known.popitem(last=False)
        self._co_visits.add(one)
        for person in {one.person, one.visit} - {None}:
            items = self._people.setdefault(str(person), [])
            self._people.move_to_end(str(person))
            items.append(one)
            del items[: -2 * HISTORY]
        while len(self._people) > MAX_PEOPLE:
            self._people.popitem(last=False)
