"""What goes on in the background: months come and go, rollups are put together, old ties go away."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol

from chassis.couch import Conflict, CouchError, NotFound, Repository
from logs.archive import Archive
from logs.domain import AHEAD, LEAST, LEGACY, OLDEST, Tie, Told, month_of, months
from logs.domain.events import text
from logs.domain.months import moment_of_id
from logs.domain.rollup import by_day
from logs.registry import Registry
from logs.repositories import events_of
from logs.rollups import Rollups, finished
from logs.services.auditing import Audit

log = logging.getLogger(__name__)

_AT_ONCE = 500
_QUIET = timedelta(seconds=30)
_MANY, _LONG = 10, timedelta(seconds=60)  # deltas of a day that are put together, or how long the first waits


class Databases(Protocol):
    """What only a server's administrator may do, when the shop is deployed."""

    def destroy(self, database: str) -> None: ...


class Keeper:
    def __init__(
        self,
        *,
        registry: Registry,
        archive: Archive,
        rollups: Rollups,
        ties: Repository[Tie],
        audit: Audit,
        databases: Databases,
        clock: Callable[[], datetime],
        kept: timedelta,
    ) -> None:
        self._registry, self._archive, self._rollups, self._ties = registry, archive, rollups, ties
        self._audit, self._databases, self._clock, self._kept = audit, databases, clock, kept
        self._upgraded = False

    # -- months

    def months_keep(self, ahead: int = AHEAD) -> list[str]:
        """Make this month and so many more, drop those that are too old; which were dropped. A refusal is
        said with an alarm: then `manage.py prepare` does it, which signs in as the server's administrator.
        """
        self._registry.forget()
        self._registry.make_ahead(ahead)
        if self._registry.left() < LEAST:
            why = "months after this one that have databases: %d; run `manage.py prepare`, or `make deploy`"
            log.error(why, max(0, self._registry.left()), extra={"alarm": "months"})
        old = self._registry.months().old(self._clock(), self._kept)
        dropped = [month for month in old if self._drop_month(month)]
        if self._registry.months().legacy and self._legacy_is_old() and self._destroyed(LEGACY):
            self._registry.drop_legacy()
            dropped.append(LEGACY)
        return dropped

    def _drop_month(self, month: str) -> bool:
        """Its databases first: one that stays is tried again."""
        gone = all([self._destroyed(f"events-{month}"), self._destroyed(f"seen-{month}")])
        if gone:
            self._registry.drop(month)
        return gone

    def _destroyed(self, database: str) -> bool:
        try:
            self._databases.destroy(database)
        except CouchError as error:
            log.warning("%s is too old, but stays: %s", database, error, extra={"alarm": "months"})
            return False
        return True

    def _legacy_is_old(self) -> bool:
        """Whether its newest event is."""
        design = events_of(LEGACY).designs()["lists"]
        query = {"startkey": ["t", {}], "endkey": ["t"], "descending": True, "limit": 1, "reduce": False}
        rows = self._registry.open(LEGACY).view(design, query)
        return not rows or rows[0]["key"][1] < text(self._clock() - self._kept)

    # -- rollups

    def rollups_merge(self, *, all: bool = False, legacy: bool = False) -> int:
        """Put deltas into their days, where there are many or they have waited for long; how many. Those of
        before the months are put in by `upgrade` alone, which knows when.
        """
        merged = 0
        for day, waiting in self._rollups.waiting().items():
            deltas = waiting if legacy else [delta for delta in waiting if _made(delta)]
            if not deltas or not (all or len(deltas) >= _MANY or self._waited(deltas[0])):
                continue
            try:
                merged += self._rollups.merge(day, deltas)
            except Conflict:
                continue  # another replica was quicker
            if self._rollups.closed(day[:7]):
                self._rollups.close_month(day[:7])
        return merged

    def _waited(self, delta: dict[str, Any]) -> bool:
        made = _made(delta)
        return made is not None and made < self._clock() - _LONG

    def months_close(self) -> list[str]:
        """Put the days of each finished month together; which months."""
        now, first = self._clock(), self._rollups.first_day()
        month, closed = (first or "9999")[:7], []
        while first and month < month_of(now):
            grace = OLDEST + timedelta(days=1)
            if finished(month, now, grace) and not self._rollups.closed(month):
                self._rollups.close_month(month)
                closed.append(month)
            month = months.next_month(month)
        return closed

    # -- ties

    def ties_sweep(self) -> int:
        """Delete up to 500 ties of sessions without a sign-in for longer than events are kept; how many."""
        old = self._ties.find("by_time", end=self._clock() - self._kept, limit=_AT_ONCE)
        for tie in old:
            try:
                self._ties.delete(tie)
            except (Conflict, NotFound):
                continue
        return len(old)

    # -- lists, and installations of before

    def lists_build(self) -> bool:
        """Ask this month's lists something when it is quiet, so that staff find them built: CouchDB does so
        by itself, the local server would keep writes waiting for it. Whether it was quiet.
        """
        newest = self._archive.arrivals(None, limit=1, newest=True).items
        made = moment_of_id(newest[0][1].id) if newest else None
        if made is not None and made > self._clock() - _QUIET:
            return False
        self._archive.find("by_time", descending=True, limit=1)
        return True

    def upgrade(self) -> int:
        """Take in what an installation of before the months has: count its events, put its audit entries into
        chains. How many events. May be repeated and interrupted.
        """
        if self._upgraded:
            return 0
        counted = self._count_legacy() if self._registry.adopt_legacy() else 0
        self._audit_upgrade()
        self._upgraded = True
        return counted

    def _count_legacy(self) -> int:
        store = self._registry.open(LEGACY)
        state = store.get_local("rolled") or {"parts": 0}
        if state.get("done"):
            return 0
        counted = 0
        for part, documents in enumerate(self._archive.scan(LEGACY)):
            if part < state["parts"]:
                continue
            # Nobody writes there any more but erasures, which keep ids: a part is always the same. Its delta
            # waits until the part is ticked off, so that it cannot be counted again.
            self._rollups.add(f"legacy-{part:06d}", by_day([_told(document) for document in documents]))
            store.put_local("rolled", {"parts": part + 1})
            counted += len(documents)
            if part % 10 == 9:
                self.rollups_merge(all=True, legacy=True)
        while self.rollups_merge(all=True, legacy=True):
            pass
        store.put_local("rolled", {"done": True})
        log.info("%d events of before the months are counted", counted)
        return counted

    def _audit_upgrade(self) -> None:
        """Once; an entry that comes later is put into a chain as it comes."""
        store = self._registry.open("audit")
        if not (store.get_local("sealed") or {}).get("done"):
            self._audit.seal_old()
            store.put_local("sealed", {"done": True})


def _made(delta: dict[str, Any]) -> datetime | None:
    """When its batch was named; None for a part of what was there before the months."""
    return moment_of_id(delta["_id"].rpartition(":")[2])


def _told(document: dict[str, Any]) -> Told:
    names = ("at", "user", "session", "product_id", "quantity", "query", "data")
    return Told(type=document["type_"], **{name: document[name] for name in names if name in document})
