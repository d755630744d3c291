"""The recorder, which stores each accepted event once and counts it in the rollups.

A batch has a name, a UUIDv7; its events' ids are made of that name and their position. The same batch can be
stored again after any failure: stored parts are recognised by the name, and nothing counts twice.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from chassis.couch import Repository
from chassis.couch.store import Store
from logs.domain import IncomingEvent, Rollup, SessionIdentity, month_of, parse_time
from logs.domain.months import time_of_id
from logs.domain.rollup import by_day
from logs.registry import MonthRegistry
from logs.rollups import Rollups
from logs.services.attribution import Attribution

log = logging.getLogger(__name__)

_MAX_KNOWN_PAIRS = 50_000  # pairs that this process has stored


class Recorder:
    def __init__(
        self,
        *,
        registry: MonthRegistry,
        rollups: Rollups,
        identities: Repository[SessionIdentity],
        attribution: Attribution,
        clock: Callable[[], datetime],
    ) -> None:
        self._registry, self._rollups, self._identities, self._clock = registry, rollups, identities, clock
        self._attribution = attribution
        self._known_pairs: dict[tuple[str, str], None] = {}

    def record(
        self,
        batch: str,
        events: Sequence[IncomingEvent],
        bots: Counter[str] | None = None,
        *,
        again: bool = True,
    ) -> int:
        """Store a batch, and return the number of events that were new; raises Unavailable.

        With `again`, the batch may have been stored before, in part or completely.
        """
        new = self._new_events(batch, events)
        documents = [event.document(f"{batch}-{place:04d}", batch) for place, event in new]
        if documents:
            self._events(batch).put_new(documents)
        days = self._days([event for _, event in new])
        if bots:
            days.setdefault(self._clock().date().isoformat(), Rollup()).bots.update(bots)
        self._count(batch, days, again=again)
        self._store_identities([event for _, event in new])
        return len(new)

    def record_once(
        self, key: str, events: Sequence[IncomingEvent], *, at: datetime, new_id: Callable[[], str]
    ) -> bool:
        """Store the events of a delivery under a name that the first delivery chose.

        Returns False if they were stored before.
        """
        store = self._registry.keys(month_of(at))
        batch, id = new_id(), f"seen:{key}"
        if store.put_new([{"_id": id, "type": "seen", "batch": batch}]) == [None]:
            batch = store.get(id)["batch"]
        documents = [event.document(f"{batch}-{place:04d}", batch) for place, event in enumerate(events)]
        stored = any(self._events(batch).put_new(documents))
        counted = self._count(batch, self._days(events), again=True)
        self._store_identities(events)
        return stored or counted

    def _days(self, events: Sequence[IncomingEvent]) -> dict[str, Rollup]:
        self._attribution.store_clicks(events)
        return by_day(events, self._attribution.find_credits(events))

    def _count(self, batch: str, days: dict[str, Rollup], *, again: bool) -> bool:
        """Add a batch to the rollups once.

        A note records that, because the delta itself is removed when it is merged into its day.
        """
        store, note = self._registry.open(f"seen-{self._month_of_batch(batch)}"), f"seen:counted-{batch}"
        if again and store.get_many([note]):
            return False
        counted = self._rollups.add(batch, days)
        store.put_new([{"_id": note, "type": "seen", "batch": batch}])
        return counted

    def _new_events(self, batch: str, events: Sequence[IncomingEvent]) -> list[tuple[int, IncomingEvent]]:
        """Return (position, event) of the events whose key no other batch or earlier position has."""
        keyed: dict[str, dict[str, int]] = {}
        for place, event in enumerate(events):
            if event.key is not None:
                keyed.setdefault(event.at[:7], {}).setdefault(event.key, place)
        mine: set[int] = set()
        for month, places in keyed.items():
            mine |= self._claim(month, batch, places)
        return [(place, event) for place, event in enumerate(events) if event.key is None or place in mine]

    def _claim(self, month: str, batch: str, places: dict[str, int]) -> set[int]:
        """Return the positions whose keys belong to this batch, from now or an earlier attempt.

        Keys are in the month in which their event happened, which is the same when it is sent again.
        """
        store = self._registry.keys(month)
        ids = {f"seen:{key}": place for key, place in places.items()}
        revisions = store.put_new([{"_id": id, "type": "seen", "batch": batch} for id in ids])
        mine = {place for place, revision in zip(ids.values(), revisions, strict=True) if revision}
        taken = [id for id, revision in zip(ids, revisions, strict=True) if revision is None]
        return mine | {ids[doc["_id"]] for doc in store.get_many(taken) if doc["batch"] == batch}

    def _events(self, batch: str) -> Store:
        return self._registry.open(f"events-{self._month_of_batch(batch)}")

    def _month_of_batch(self, batch: str) -> str:
        """Return the month of a batch."""
        return self._registry.month_for(time_of_id(batch) or self._clock())

    def _store_identities(self, events: Iterable[IncomingEvent]) -> None:
        """Store which account signed in within which session."""
        pairs = {(e.session, e.user): e.at for e in events if e.session and e.user}
        for (session, user), at in pairs.items():
            if (session, user) in self._known_pairs:
                continue
            self._store_identity(session, user, parse_time(at))
            self._known_pairs[(session, user)] = None
            if len(self._known_pairs) > _MAX_KNOWN_PAIRS:
                self._known_pairs.pop(next(iter(self._known_pairs)))

    def _store_identity(self, session: str, user: str, at: datetime) -> None:
        def change(identity: SessionIdentity) -> None:
            identity.add(user, at)

        self._identities.update(session, change, create=lambda: SessionIdentity(id=session))
