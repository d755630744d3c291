"""Rollups in their database: one document a day and a month, and the deltas that are not in their day yet.

Each batch of events leaves a delta for each day it touches, under the batch's name: told again, it is there
already. Later the deltas are put into the day's document, which names those it has taken in, and only then
removed: whoever reads leaves out the ones that are named. So every batch counts once, whatever crashes when.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from chassis.couch import Conflict, NotFound
from chassis.couch.store import Store
from logs import repositories
from logs.domain import Rollup, months
from logs.domain.rollup import SERIES

log = logging.getLogger(__name__)

_MOST_MERGED = 500
Document = dict[str, Any]
Fresh = Mapping[str, Rollup]


@dataclass(frozen=True, slots=True)
class Days:
    """Whole UTC days, both included."""

    first: date
    last: date

    def __iter__(self) -> Any:
        for number in range((self.last - self.first).days + 1):
            yield (self.first + timedelta(days=number)).isoformat()

    def __len__(self) -> int:
        return (self.last - self.first).days + 1


class Rollups:
    def __init__(self, store: Callable[[], Store]) -> None:
        self._store = store
        designs = repositories.ROLLUPS.designs()
        self._series, self._revenue = designs["series"], designs["revenue"]

    # -- writing

    def add(self, batch: str, days: Mapping[str, Rollup]) -> bool:
        """Count a batch, once; False when it was counted before."""
        documents = [
            {"_id": f"delta:{day}:{batch}", "type": "delta", "day": day, **rollup.stored()}
            for day, rollup in days.items()
        ]
        return any(self._store().put_new(documents)) if documents else False

    def waiting(self) -> dict[str, list[Document]]:
        """Deltas by day, the oldest days first, at most 500."""
        found: dict[str, list[Document]] = {}
        for document in self._documents("delta:", "delta:\ufff0", limit=_MOST_MERGED):
            found.setdefault(document["day"], []).append(document)
        return found

    def merge(self, day: str, deltas: Iterable[Document]) -> int:
        """Put deltas into their day's document, then remove them; how many were new. Somebody else may do so
        at the same time: the document's revision decides, Conflict is raised for the later one.
        """
        deltas = list(deltas)
        document = self._get(f"day:{day}")
        taken = set(document.get("merged", ()))
        fresh = [delta for delta in deltas if delta["_id"] not in taken]
        if fresh:
            rollup = Rollup.read(document)
            for delta in fresh:
                rollup.update(Rollup.read(delta))
            rollup.trim()
            # Only what is still there can be met again.
            merged = [delta["_id"] for delta in deltas]
            head = {"_id": f"day:{day}", "type": "day", "day": day, "merged": merged}
            revision = {"_rev": document["_rev"]} if "_rev" in document else {}
            self._store().put({**head, **revision, **rollup.stored()})
        for delta in deltas:
            try:
                self._store().delete(delta["_id"], delta["_rev"])
            except (NotFound, Conflict):
                continue  # another process removes them too
        return len(fresh)

    def close_month(self, month: str) -> None:
        """The month's own document from those of its days; again, when a day has changed since."""
        total = Rollup()
        for document in self._documents(f"day:{month}-01", f"day:{month}-31"):
            total.update(Rollup.read(document))
        total.trim(slack=1)
        known = self._get(f"month:{month}")
        revision = {"_rev": known["_rev"]} if "_rev" in known else {}
        body = {**revision, "type": "month", "month": month, **total.stored()}
        self._store().put({"_id": f"month:{month}", **body})

    def closed(self, month: str) -> bool:
        return bool(self._get(f"month:{month}"))

    def first_day(self) -> str | None:
        rows = self._store().all_docs({"startkey": "day:", "endkey": "day:\ufff0", "limit": 1})
        return rows[0]["id"][4:] if rows else None

    # -- reading

    def series(self, days: Days, fresh: Fresh) -> dict[str, list[int]]:
        """The numbers of each day that has some, in the order of `SERIES`: stored reductions for the days
        that are finished, the few others from their documents.
        """
        rows = self._store().view(
            self._series,
            {
                "startkey": [_month(days.first), days.first.isoformat()],
                "endkey": [_month(days.last), days.last.isoformat()],
                "group": True,
            },
        )
        found = {row["key"][1]: _padded(row["value"]) for row in rows}
        return found | {day: rollup.series() for day, rollup in fresh.items()}

    def revenue(self, days: Days, fresh: Fresh) -> dict[str, dict[str, int]]:
        """By currency, the amount of each day that has one."""
        rows = self._store().view(self._revenue, {"group": True})
        first, last = days.first.isoformat(), days.last.isoformat()
        found: dict[str, dict[str, int]] = {}
        for row in rows:
            currency, day = row["key"]
            if first <= day <= last and day not in fresh:
                found.setdefault(currency, {})[day] = row["value"]
        for day, rollup in fresh.items():
            for currency, amount in rollup.revenue.items():
                found.setdefault(currency, {})[day] = amount
        return found

    def fresh(self, days: Days) -> Fresh:
        """The days with deltas, each with all that is known of it; what the other readings want to know."""
        first, last = days.first.isoformat(), days.last.isoformat()
        deltas: dict[str, list[Document]] = {}
        for delta in self._documents(f"delta:{first}:", f"delta:{last}:\ufff0"):
            deltas.setdefault(delta["day"], []).append(delta)
        # Read after the deltas: a day that took one in meanwhile says so.
        known = {doc["day"]: doc for doc in self._store().get_many([f"day:{day}" for day in deltas])}
        found = {}
        for day, waiting in deltas.items():
            document = known.get(day, {})
            taken = set(document.get("merged", ()))
            rollup = Rollup.read(document)
            for delta in waiting:
                if delta["_id"] not in taken:
                    rollup.update(Rollup.read(delta))
            found[day] = rollup
        return found

    def total(self, days: Days, fresh: Fresh) -> Rollup:
        """All of it: whole months from their own documents, the rest day by day."""
        total = Rollup()
        for rollup in fresh.values():
            total.update(rollup)
        whole = {month for month in _whole_months(days) if not any(day[:7] == month for day in fresh)}
        documents = self._store().get_many([f"month:{month}" for month in sorted(whole)])
        closed = {document["month"] for document in documents}
        for first, last in _outside(days, closed):
            documents += self._documents(f"day:{first}", f"day:{last}")
        for document in documents:
            if document.get("day") not in fresh:
                total.update(Rollup.read(document))
        return total

    def _get(self, id: str) -> Document:
        try:
            return self._store().get(id)
        except NotFound:
            return {}

    def _documents(self, first: str, last: str, limit: int | None = None) -> list[Document]:
        query: dict[str, Any] = {"startkey": first, "endkey": last, "include_docs": True}
        rows = self._store().all_docs(query if limit is None else {**query, "limit": limit})
        return [row["doc"] for row in rows if row.get("doc")]


def _padded(numbers: list[int]) -> list[int]:
    """A day that was written by older code may know fewer numbers."""
    return [*numbers, *[0] * (len(SERIES) - len(numbers))]


def _month(day: date) -> str:
    return day.isoformat()[:7]


def _whole_months(days: Days) -> list[str]:
    found, month = [], _month(days.first)
    while month <= _month(days.last):
        if date.fromisoformat(f"{month}-01") >= days.first and months.end_of(month).date() <= _after(
            days.last
        ):
            found.append(month)
        month = months.next_month(month)
    return found


def _after(day: date) -> date:
    return day + timedelta(days=1)


def _outside(days: Days, closed: set[str]) -> Iterable[tuple[str, str]]:
    """Ranges of days that no closed month covers, months apart."""
    month = _month(days.first)
    while month <= _month(days.last):
        if month not in closed:
            first = max(days.first, date.fromisoformat(f"{month}-01"))
            last = min(days.last, (months.end_of(month) - timedelta(days=1)).date())
            yield first.isoformat(), last.isoformat()
        month = months.next_month(month)


def finished(month: str, now: datetime, grace: timedelta) -> bool:
    """Whether nothing more is told of that month."""
    return months.end_of(month) + grace < now
