"""Background maintenance: monthly databases, rollups, old session identities, upgrades."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol

from chassis.couch import Conflict, CouchError, NotFound, Repository
from logs.domain import (
    LEGACY,
    MAX_EVENT_AGE,
    MIN_MONTHS_AHEAD,
    MONTHS_AHEAD,
    IncomingEvent,
    SessionIdentity,
    month_of,
    months,
)
from logs.domain.events import format_time
from logs.domain.months import time_of_id
from logs.domain.rollup import by_day
from logs.event_store import EventStore
from logs.registry import MonthRegistry
from logs.repositories import events_of
from logs.rollups import Rollups, is_finished
from logs.services.audit_trail import AuditTrail

log = logging.getLogger(__name__)

_BATCH_SIZE = 500
_QUIET = timedelta(seconds=30)
_MANY, _LONG = 10, timedelta(seconds=60)  # deltas of a day that are merged at once, or the age of the oldest


class Databases(Protocol):
    """Operations that only a server's administrator may do in a deployed shop."""

    def destroy(self, database: str) -> None: ...


class Maintenance:
    def __init__(
        self,
        *,
        registry: MonthRegistry,
        event_store: EventStore,
        rollups: Rollups,
        identities: Repository[SessionIdentity],
        audit: AuditTrail,
        databases: Databases,
        clock: Callable[[], datetime],
        retention: timedelta,
    ) -> None:
        self._registry, self._event_store, self._rollups, self._identities = (
            registry,
            event_store,
            rollups,
            identities,
        )
        self._audit, self._databases, self._clock, self._retention = audit, databases, clock, retention
        self._upgraded = False

    # -- months

    def months_rotate(self, ahead: int = MONTHS_AHEAD) -> list[str]:
        """Create this month and those ahead, drop expired ones, and return the dropped.

        A refusal is logged with an alarm: then `manage.py prepare` does it, which signs in as the server's
        administrator.
        """
        self._registry.invalidate()
        self._registry.create_ahead(ahead)
        if self._registry.count_ahead() < MIN_MONTHS_AHEAD:
            why = "months ahead with databases: %d; run `manage.py prepare`, or `make deploy`"
            log.error(why, max(0, self._registry.count_ahead()), extra={"alarm": "months"})
        old = self._registry.months().expired(self._clock(), self._retention)
        dropped = [month for month in old if self._drop_month(month)]
        if self._registry.months().legacy and self._legacy_is_old() and self._destroyed(LEGACY):
            self._registry.unregister_legacy()
            dropped.append(LEGACY)
        return dropped

    def _drop_month(self, month: str) -> bool:
        """Delete a month's databases, then its registration; one that stays is tried again."""
        gone = all([self._destroyed(f"events-{month}"), self._destroyed(f"seen-{month}")])
        if gone:
            self._registry.drop(month)
        return gone

    def _destroyed(self, database: str) -> bool:
        try:
            self._databases.destroy(database)
        except CouchError as error:
            log.warning(
                "%s has expired but could not be dropped: %s", database, error, extra={"alarm": "months"}
            )
            return False
        return True

    def _legacy_is_old(self) -> bool:
        """Return True if the newest event of the legacy database has expired."""
        design = events_of(LEGACY).designs()["lists"]
        query = {"startkey": ["t", {}], "endkey": ["t"], "descending": True, "limit": 1, "reduce": False}
        rows = self._registry.open(LEGACY).view(design, query)
        return not rows or rows[0]["key"][1] < format_time(self._clock() - self._retention)

    # -- rollups

    def rollups_merge(self, *, all: bool = False, legacy: bool = False) -> int:
        """Merge the deltas of days that have many or old ones, and return the number merged.

        Deltas of the legacy database are merged by `upgrade` alone, which knows when it is safe.
        """
        merged = 0
        for day, waiting in self._rollups.pending_deltas().items():
            deltas = waiting if legacy else [delta for delta in waiting if _batch_time(delta)]
            if not deltas or not (all or len(deltas) >= _MANY or self._is_due(deltas[0])):
                continue
            try:
                merged += self._rollups.merge(day, deltas)
            except Conflict:
                continue  # another replica was quicker
            if self._rollups.is_closed(day[:7]):
                self._rollups.close_month(day[:7])
        return merged

    def _is_due(self, delta: dict[str, Any]) -> bool:
        made = _batch_time(delta)
        return made is not None and made < self._clock() - _LONG

    def months_close(self) -> list[str]:
        """Add up the days of each finished month, and return the months."""
        now, first = self._clock(), self._rollups.first_day()
        month, closed = (first or "9999")[:7], []
        while first and month < month_of(now):
            grace = MAX_EVENT_AGE + timedelta(days=1)
            if is_finished(month, now, grace) and not self._rollups.is_closed(month):
                self._rollups.close_month(month)
                closed.append(month)
            month = months.next_month(month)
        return closed

    # -- session identities

    def identities_expire(self) -> int:
        """Delete up to 500 session identities without a sign-in for longer than events are kept.

        Returns their number.
        """
        old = self._identities.find("by_time", end=self._clock() - self._retention, limit=_BATCH_SIZE)
        for identity in old:
            try:
                self._identities.delete(identity)
            except (Conflict, NotFound):
                continue
        return len(old)

    # -- lists and upgrades

    def lists_build(self) -> bool:
        """Query this month's lists when no events arrive, so that staff find the view built.

        CouchDB builds views by itself; the local server would keep writes waiting. Returns False if events
        were arriving.
        """
        newest = self._event_store.by_arrival(None, limit=1, newest=True).items
        made = time_of_id(newest[0][1].id) if newest else None
        if made is not None and made > self._clock() - _QUIET:
            return False
        self._event_store.find("by_time", descending=True, limit=1)
        return True

    def upgrade(self) -> int:
        """Upgrade an older installation: count its events, chain its audit entries.

        Returns the number of events. May be repeated and interrupted.
        """
        if self._upgraded:
            return 0
        counted = self._count_legacy() if self._registry.register_legacy() else 0
        self._audit_upgrade()
        self._upgraded = True
        return counted

    def _count_legacy(self) -> int:
        store = self._registry.open(LEGACY)
        state = store.get_local("rolled") or {"parts": 0}
        if state.get("done"):
            return 0
        counted = 0
        for part, documents in enumerate(self._event_store.scan(LEGACY)):
            if part < state["parts"]:
                continue
            # Only erasures still write there, and they keep ids, so a part is always the same. Its delta
            # stays unmerged until the part is noted as counted, so that it cannot count twice.
            self._rollups.add(
                f"legacy-{part:06d}", by_day([_incoming_event(document) for document in documents])
            )
            store.put_local("rolled", {"parts": part + 1})
            counted += len(documents)
            if part % 10 == 9:
                self.rollups_merge(all=True, legacy=True)
        while self.rollups_merge(all=True, legacy=True):
            pass
        store.put_local("rolled", {"done": True})
        log.info("counted %d events of the legacy database", counted)
        return counted

    def _audit_upgrade(self) -> None:
        """Seal older audit entries once; later ones are chained as they arrive."""
        store = self._registry.open("audit")
        if not (store.get_local("sealed") or {}).get("done"):
            self._audit.seal_unchained()
            store.put_local("sealed", {"done": True})


def _batch_time(delta: dict[str, Any]) -> datetime | None:
    """Return the time of the delta's batch; None for a part of the legacy database."""
    return time_of_id(delta["_id"].rpartition(":")[2])


def _incoming_event(document: dict[str, Any]) -> IncomingEvent:
    names = ("at", "user", "session", "product_id", "quantity", "query", "data")
    return IncomingEvent(
        type=document["type_"], **{name: document[name] for name in names if name in document}
    )
