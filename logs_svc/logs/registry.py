"""Which months have databases: kept in one document, for a service's own user may not list databases."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from chassis.couch import Conflict, CouchError, NotFound, Unavailable
from chassis.couch.store import Store
from logs import repositories
from logs.domain import AHEAD, LEAST, LEGACY, Months, following, month_of

log = logging.getLogger(__name__)

_ID = "registry:months"
_FRESH = 30.0  # seconds that a reading is believed
Open = Callable[[str], Store]


class Registry:
    """Knows, makes and forgets months. A month's database is known by a document in `rollups`."""

    def __init__(self, open: Open, clock: Callable[[], datetime]) -> None:
        self.open, self._clock = open, clock
        self._known: tuple[float, Months] | None = None
        self._refused: dict[str, float] = {}

    def months(self) -> Months:
        """Those that there are; Unavailable when nobody can say."""
        known = self._known
        if known is not None and time.monotonic() - known[0] < _FRESH:
            return known[1]
        try:
            known = (time.monotonic(), self._read()[0])
        except Unavailable:
            if known is None:
                raise
            return known[1]  # the store is away: there are no fewer months for that
        if known[1].all:
            self._known = known
        return known[1]

    def written(self) -> Months:
        """Those in which something may be; Unavailable when nobody can say."""
        return self.months().written(month_of(self._clock()))

    def left(self) -> int:
        """How many months after the present one have databases; -1 when this one has none. Few are read
        again: more may have been made just now.
        """
        now = month_of(self._clock())
        if self.months().left(now) < LEAST:
            self.forget()
        return self.months().left(now)

    def ahead(self, count: int) -> tuple[str, ...]:
        """This month and so many more, whether they have databases or not."""
        return following(month_of(self._clock()), count)

    def forget(self) -> None:
        """Read again next time."""
        self._known = None

    def place(self, moment: datetime) -> str:
        """The month to which that moment's events go: its own, made if need be, else the nearest there is."""
        wanted = month_of(moment)
        months = self.months()
        if wanted not in months.all and self._worth_trying(wanted):
            self.make([wanted])
            months = self.months()
        found = months.place(wanted)
        if found is None:
            raise Unavailable("there is no database for events: run `manage.py prepare`")
        return found

    def keys(self, month: str) -> Store:
        """Where that month's keys and clicks are: its own database, else the nearest there is."""
        place = self.months().place(month) or self.place(self._clock())
        return self.open(f"seen-{place}")

    def make(self, wanted: Iterable[str]) -> list[str]:
        """See that these months have databases and are known; those that were not. A refusal is no error:
        the service's own user may not make databases when it is deployed, and `prepare` will.
        """
        made, known = [], self._read()[0].all
        for month in wanted:
            if month in known:
                continue
            try:
                for collection in repositories.of_month(month):
                    self.open(collection.database).ensure(collection.designs().values())
            except CouchError as error:
                self._refused[month] = time.monotonic()
                log.warning("no databases for %s yet: %s", month, error, extra={"alarm": "months"})
                continue
            made.append(month)
        if made:
            self._change(lambda months: _with(months, made))
        return made

    def make_ahead(self, count: int = AHEAD) -> list[str]:
        """See that this month and so many more have databases; those that had none."""
        return self.make(self.ahead(count))

    def drop(self, month: str) -> None:
        """It has no databases any more."""
        self._change(lambda months: months.without(month))

    def adopt_legacy(self) -> bool:
        """Take in the one database of before, if there is one; its lists are built."""
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

    def drop_legacy(self) -> None:
        self._change(lambda months: Months(months.all, legacy=False))

    def _worth_trying(self, month: str) -> bool:
        return time.monotonic() - self._refused.get(month, -1e9) > _FRESH

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
        raise Unavailable("the list of months is written by too many at once")


def _with(months: Months, more: Iterable[str]) -> Months:
    for month in more:
        months = months.with_(month)
    return months
