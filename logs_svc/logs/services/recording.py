"""From what was accepted to what is stored: each event once, with what it adds up to.

A batch has a name, a UUIDv7; its events' ids are made of that name and their place in it. Whatever happens in
between, the same batch can be stored again: what is there already is known by its name, and nothing counts
twice.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from chassis.couch import Repository
from chassis.couch.store import Store
from logs.domain import Rollup, Tie, Told, moment, month_of
from logs.domain.months import moment_of_id
from logs.domain.rollup import by_day
from logs.registry import Registry
from logs.rollups import Rollups
from logs.services.attribution import Attribution

log = logging.getLogger(__name__)

_MOST_TIED = 50_000  # pairs that this process knows to be stored


class Recorder:
    def __init__(
        self,
        *,
        registry: Registry,
        rollups: Rollups,
        ties: Repository[Tie],
        attribution: Attribution,
        clock: Callable[[], datetime],
    ) -> None:
        self._registry, self._rollups, self._ties, self._clock = registry, rollups, ties, clock
        self._attribution = attribution
        self._tied: dict[tuple[str, str], None] = {}

    def record(
        self, batch: str, told: Sequence[Told], bots: Counter[str] | None = None, *, again: bool = True
    ) -> int:
        """Store a batch; how many of its events were not known before. With `again` it may have been stored
        before, in part or altogether. Unavailable.
        """
        new = self._unknown(batch, told)
        documents = [event.document(f"{batch}-{place:04d}", batch) for place, event in new]
        if documents:
            self._events(batch).put_new(documents)
        days = self._days([event for _, event in new])
        if bots:
            days.setdefault(self._clock().date().isoformat(), Rollup()).bots.update(bots)
        self._count(batch, days, again=again)
        self._tie([event for _, event in new])
        return len(new)

    def record_fact(self, key: str, told: Sequence[Told], *, at: datetime, new_id: Callable[[], str]) -> bool:
        """Store the events of a fact under a name that its first delivery chose; False for another
        delivery of what is stored.
        """
        store = self._registry.keys(month_of(at))
        batch, id = new_id(), f"seen:{key}"
        if store.put_new([{"_id": id, "type": "seen", "batch": batch}]) == [None]:
            batch = store.get(id)["batch"]
        documents = [event.document(f"{batch}-{place:04d}", batch) for place, event in enumerate(told)]
        stored = any(self._events(batch).put_new(documents))
        counted = self._count(batch, self._days(told), again=True)
        self._tie(told)
        return stored or counted

    def _days(self, told: Sequence[Told]) -> dict[str, Rollup]:
        self._attribution.remember(told)
        return by_day(told, self._attribution.credits(told))

    def _count(self, batch: str, days: dict[str, Rollup], *, again: bool) -> bool:
        """Once; it is noted, for the delta itself goes away when it is put into its day."""
        store, note = self._registry.open(f"seen-{self._place(batch)}"), f"seen:counted-{batch}"
        if again and store.get_many([note]):
            return False
        counted = self._rollups.add(batch, days)
        store.put_new([{"_id": note, "type": "seen", "batch": batch}])
        return counted

    def _unknown(self, batch: str, told: Sequence[Told]) -> list[tuple[int, Told]]:
        """(place, event) without those that are known by their key from another batch, or from a place
        before in this one.
        """
        keyed: dict[str, dict[str, int]] = {}
        for place, event in enumerate(told):
            if event.key is not None:
                keyed.setdefault(event.at[:7], {}).setdefault(event.key, place)
        mine: set[int] = set()
        for month, places in keyed.items():
            mine |= self._claim(month, batch, places)
        return [(place, event) for place, event in enumerate(told) if event.key is None or place in mine]

    def _claim(self, month: str, batch: str, places: dict[str, int]) -> set[int]:
        """The places whose keys this batch has, now or from an attempt before. Keys lie in the month in which
        their event happened, which is the same when it is told again.
        """
        store = self._registry.keys(month)
        ids = {f"seen:{key}": place for key, place in places.items()}
        revisions = store.put_new([{"_id": id, "type": "seen", "batch": batch} for id in ids])
        mine = {place for place, revision in zip(ids.values(), revisions, strict=True) if revision}
        taken = [id for id, revision in zip(ids, revisions, strict=True) if revision is None]
        return mine | {ids[doc["_id"]] for doc in store.get_many(taken) if doc["batch"] == batch}

    def _events(self, batch: str) -> Store:
        return self._registry.open(f"events-{self._place(batch)}")

    def _place(self, batch: str) -> str:
        """The month of a batch."""
        return self._registry.place(moment_of_id(batch) or self._clock())

    def _tie(self, told: Iterable[Told]) -> None:
        """Remember which account signed in within which session."""
        pairs = {(e.session, e.user): e.at for e in told if e.session and e.user}
        for (session, user), at in pairs.items():
            if (session, user) in self._tied:
                continue
            self._tie_one(session, user, moment(at))
            self._tied[(session, user)] = None
            if len(self._tied) > _MOST_TIED:
                self._tied.pop(next(iter(self._tied)))

    def _tie_one(self, session: str, user: str, at: datetime) -> None:
        def change(tie: Tie) -> None:
            tie.add(user, at)

        self._ties.update(session, change, create=lambda: Tie(id=session))
