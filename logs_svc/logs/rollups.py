"""Stored rollups: one document per day and per month, and deltas that are not merged yet.

Each batch of events leaves a delta for each day it touches, under the batch's name, so a repeated batch is
recognised. Later the deltas are merged into the day's document, which names those it has taken in, and only
then removed; readers ignore the ones that are named. So every batch counts once, wherever a process crashes.
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

_MAX_DELTAS = 500
Document = dict[str, Any]
Unmerged = Mapping[str, Rollup]


@dataclass(frozen=True, slots=True)
class Days:
    """A range of whole UTC days, both ends included."""

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
        """Count a batch once; False if it was counted before."""
        documents = [
            {"_id": f"delta:{day}:{batch}", "type": "delta", "day": day, **rollup.to_document()}
            for day, rollup in days.items()
        ]
        return any(self._store().put_new(documents)) if documents else False

    def pending_deltas(self) -> dict[str, list[Document]]:
        """Return unmerged deltas by day, the oldest days first, at most 500."""
        found: dict[str, list[Document]] = {}
        for document in self._documents("delta:", "delta:\ufff0", limit=_MAX_DELTAS):
            found.setdefault(document["day"], []).append(document)
        return found

    def merge(self, day: str, deltas: Iterable[Document]) -> int:
        """Merge deltas into their day's document, remove them, and return how many were new.

        The document's revision decides between concurrent merges: the later one raises Conflict.
        """
        deltas = list(deltas)
        document = self._get(f"day:{day}")
        taken = set(document.get("merged", ()))
        unmerged = [delta for delta in deltas if delta["_id"] not in taken]
        if unmerged:
            rollup = Rollup.from_document(document)
            for delta in unmerged:
                rollup.update(Rollup.from_document(delta))
            rollup.trim()
            # Only deltas that still exist can be merged again.
            merged = [delta["_id"] for delta in deltas]
            head = {"_id": f"day:{day}", "type": "day", "day": day, "merged": merged}
            revision = {"_rev": document["_rev"]} if "_rev" in document else {}
            self._store().put({**head, **revision, **rollup.to_document()})
        for delta in deltas:
            try:
                self._store().delete(delta["_id"], delta["_rev"])
            except (NotFound, Conflict):
                continue  # another process removes them too
        return len(unmerged)

    def close_month(self, month: str) -> None:
        """Build the month's document from those of its days; repeated when a day has changed since."""
        total = Rollup()
        for document in self._documents(f"day:{month}-01", f"day:{month}-31"):
            total.update(Rollup.from_document(document))
        total.trim(slack=1)
        known = self._get(f"month:{month}")
        revision = {"_rev": known["_rev"]} if "_rev" in known else {}
        body = {**revision, "type": "month", "month": month, **total.to_document()}
        self._store().put({"_id": f"month:{month}", **body})

    def is_closed(self, month: str) -> bool:
        return bool(self._get(f"month:{month}"))

    def first_day(self) -> str | None:
        rows = self._store().all_docs({"startkey": "day:", "endkey": "day:\ufff0", "limit": 1})
        return rows[0]["id"][4:] if rows else None

    # -- reading

    def series(self, days: Days, unmerged: Unmerged) -> dict[str, list[int]]:
        """Return the numbers of each day that has some, in the order of `SERIES`.

        Finished days come from stored reductions, the few others from their documents.
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
        return found | {day: rollup.series() for day, rollup in unmerged.items()}

    def revenue(self, days: Days, unmerged: Unmerged) -> dict[str, dict[str, int]]:
        """Return by currency the amount of each day that has one."""
        rows = self._store().view(self._revenue, {"group": True})
        first, last = days.first.isoformat(), days.last.isoformat()
        found: dict[str, dict[str, int]] = {}
        for row in rows:
            currency, day = row["key"]
            if first <= day <= last and day not in unmerged:
                found.setdefault(currency, {})[day] = row["value"]
        for day, rollup in unmerged.items():
            for currency, amount in rollup.revenue.items():
                found.setdefault(currency, {})[day] = amount
        return found

    def unmerged(self, days: Days) -> Unmerged:
        """Return complete rollups of the days that have unmerged deltas, for the other reading methods."""
        first, last = days.first.isoformat(), days.last.isoformat()
        deltas: dict[str, list[Document]] = {}
        for delta in self._documents(f"delta:{first}:", f"delta:{last}:\ufff0"):
            deltas.setdefault(delta["day"], []).append(delta)
        # Read after the deltas: a day that merged one meanwhile names it.
        known = {doc["day"]: doc for doc in self._store().get_many([f"day:{day}" for day in deltas])}
        found = {}
        for day, pending_deltas in deltas.items():
            document = known.get(day, {})
            taken = set(document.get("merged", ()))
            rollup = Rollup.from_document(document)
            for delta in pending_deltas:
                if delta["_id"] not in taken:
                    rollup.update(Rollup.from_document(delta))
            found[day] = rollup
        return found

    def total(self, days: Days, unmerged: Unmerged) -> Rollup:
        """Return the sum of a range: whole months from their documents, the rest day by day."""
        total = Rollup()
        for rollup in unmerged.values():
            total.update(rollup)
        whole = {month for month in _whole_months(days) if not any(day[:7] == month for day in unmerged)}
        documents = self._store().get_many([f"month:{month}" for month in sorted(whole)])
        is_closed = {document["month"] for document in documents}
        for first, last in _uncovered_ranges(days, is_closed):
            documents += self._documents(f"day:{first}", f"day:{last}")
        for document in documents:
            if document.get("day") not in unmerged:
                total.update(Rollup.from_document(document))
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
    """Extend a day that older code wrote with fewer numbers."""
    return [*numbers, *[0] * (len(SERIES) - len(numbers))]


def _month(day: date) -> str:
    return day.isoformat()[:7]


def _whole_months(days: Days) -> list[str]:
    found, month = [], _month(days.first)
    while month <= _month(days.last):
        if date.fromisoformat(f"{month}-01") >= days.first and months.end_of_month(month).date() <= _after(
            days.last
        ):
            found.append(month)
        month = months.next_month(month)
    return found


def _after(day: date) -> date:
    return day + timedelta(days=1)


def _uncovered_ranges(days: Days, is_closed: set[str]) -> Iterable[tuple[str, str]]:
    """Iterate over the ranges of days, split by month, that no closed month covers."""
    month = _month(days.first)
    while month <= _month(days.last):
        if month not in is_closed:
            first = max(days.first, date.fromisoformat(f"{month}-01"))
            last = min(days.last, (months.end_of_month(month) - timedelta(days=1)).date())
            yield first.isoformat(), last.isoformat()
        month = months.next_month(month)


def is_finished(month: str, now: datetime, grace: timedelta) -> bool:
    """Return True if no more events of that month can arrive."""
    return months.end_of_month(month) + grace < now
