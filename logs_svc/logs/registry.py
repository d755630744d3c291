"""The registry of months that have databases.

It is one document, because a service's own user may not list databases.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from chassis.couch import Conflict, CouchError, NotFound, Unavailable
from chassis.couch.store import Store
from logs import repositories
from logs.domain import LEGACY, MIN_MONTHS_AHEAD, MONTHS_AHEAD, Months, month_of, months_from

log = logging.getLogger(__name__)

_ID = "registry:months"
_CACHE_SECONDS = 30.0  # for which the months that were read are cached
Open = Callable[[str], Store]


class MonthRegistry:
    """Lists, creates and drops months; they are kept in a document of the database `rollups`."""

    def __init__(self, open: Open, clock: Callable[[], datetime]) -> None:
        self.open, self._clock = open, clock
        self._known: tuple[float, Months] | None = None
        self._refused: dict[str, float] = {}

    def months(self) -> Months:
        """Return the existing months; raises Unavailable if they cannot be read."""
        known = self._known
        if known is not None and time.monotonic() - known[0] < _CACHE_SECONDS:
            return known[1]
        try:
            known = (time.monotonic(), self._read()[0])
        except Unavailable:
            if known is None:
                raise
            return known[1]  # the store is unavailable, but the months still exist
        if known[1].all:
            self._known = known
        return known[1]

    def active(self) -> Months:
        """Return the months that may hold events; raises Unavailable if they cannot be read."""
        return self.months().active(month_of(self._clock()))

    def count_ahead(self) -> int:
        """Count the months after the present one that have databases; -1 if this one has none.

        A low count is read again, as more may have been created just now.
        """
        now = month_of(self._clock())
        if self.months().count_ahead(now) < MIN_MONTHS_AHEAD:
            self.invalidate()
        return self.months().count_ahead(now)

    def upcoming(self, count: int) -> tuple[str, ...]:
        """Return this month and the next `count`, whether they have databases or not."""
        return months_from(month_of(self._clock()), count)

    def invalidate(self) -> None:
        """Drop the cached months, so that they are read again."""
        self._known = None

    def month_for(self, moment: datetime) -> str:
        """Return the month whose database takes events of that time, creating it if need be.

        It is the nearest existing month if it cannot be created.
        """
        wanted = month_of(moment)
        months = self.months()
        if wanted not in months.all and self._may_retry(wanted):
            self.create([wanted])
            months = self.months()
        found = months.month_for(wanted)
        if found is None:
            raise Unavailable("no database for events: run `manage.py prepare`")
        return found

    def keys(self, month: str) -> Store:
        """Open the store of that month's keys and clicks, or of the nearest month."""
        place = self.months().month_for(month) or self.month_for(self._clock())
        return self.open(f"seen-{place}")

    def create(self, wanted: Iterable[str]) -> list[str]:
        """Create and register the databases of months, and return those that were new.

        A refusal is no error: a deployed service's own user may not create databases, and `prepare` will.
        """
        created, known = [], self._read()[0].all
        for month in wanted:
            if month in known:
                continue
            try:
                for collection in repositories.of_month(month):
                    self.open(collection.database).ensure(collection.designs().values())
            except CouchError as error:
                self._refused[month] = time.monotonic()
                log.warning(
                    "could not create the databases of %s: %s", month, error, extra={"alarm": "months"}
                )
                continue
            created.append(month)
        if created:
            self._change(lambda months: _add_months(months, created))
        return created

    def create_ahead(self, count: int = MONTHS_AHEAD) -> list[str]:
        """Create this month and the next `count`, and return those that were new."""
        return self.create(self.upcoming(count))

    def drop(self, month: str) -> None:
        """Remove a month whose databases are deleted."""
        self._change(lambda months: months.without(month))

    def register_legacy(self) -> bool:
        """Register the single database of older installations, if there is one, and build its lists."""
        if self.months().legacy:
            return True
        store = self.open(LEGACY)
        try:
            if not store.all_docs({"startkey": "event:", "endkey": "event:\ufff0", "limit": 1}):
                return False
        except (Unavailable, NotFound):
            return False
        store.ensure(repositories.events_of(LEGACY).designs().values())
        self._change(lambda months: Months(months.all, legacy=True))
        return True

    def unregister_legacy(self) -> None:
        self._change(lambda months: Months(months.all, legacy=False))

    def _may_retry(self, month: str) -> bool:
        return time.monotonic() - self._refused.get(month, -1e9) > _CACHE_SECONDS

    def _read(self) -> tuple[Months, dict[str, Any]]:
        try:
            document = self.open(repositories.ROLLUPS.database).get(_ID)
        except NotFound:
            return Months(), {"_id": _ID, "type": "registry"}
        return Months(tuple(document["months"]), bool(document.get("legacy"))), document

    def _change(self, change: Callable[[Months], Months]) -> None:
        store = self.open(repositories.ROLLUPS.database)
        for _attempt in range(10):
            months, document = self._read()
            after = change(months)
            try:
                store.put({**document, "months": list(after.all), "legacy": after.legacy})
            except Conflict:
                continue
            self._known = (time.monotonic(), after)
            return
        raise Unavailable("too many concurrent writes of the list of months")


def _add_months(months: Months, more: Iterable[str]) -> Months:
    for month in more:
        months = months.with_(month)
    return months
