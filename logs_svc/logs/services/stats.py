"""What the events add up to. The sums are CouchDB's own (views with `_count` and `_sum`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from chassis.couch import Repository
from logs.domain import FUNNEL, Event

_LAST: dict[str, Any] = {}  # sorts after every text in a view's key


@dataclass(frozen=True, slots=True)
class Days:
    """Whole UTC days, both included."""

    first: date
    last: date

    def __iter__(self) -> Iterator[str]:
        for number in range((self.last - self.first).days + 1):
            yield (self.first + timedelta(days=number)).isoformat()


class Stats:
    def __init__(self, *, events: Repository[Event]) -> None:
        self._events = events

    def timeseries(self, days: Days) -> list[tuple[str, dict[str, int]]]:
        """Events per day and type; every day is there."""
        counts: dict[str, dict[str, int]] = {day: {} for day in days}
        start, end = [days.first.isoformat()], [days.last.isoformat(), _LAST]
        for row in self._events.rows("by_day", start=start, end=end, group=True):
            day, type = row.key
            counts[day][type] = row.value
        return list(counts.items())

    def funnel(self, days: Days) -> list[tuple[str, int, int]]:
        """(step, visitors, events) from looking to buying; a visitor is a session, else an account."""
        return [(step, *self._visitors(step, days)) for step in FUNNEL]

    def top_products(self, days: Days, *, type: str, limit: int) -> list[tuple[str, int]]:
        """(product id, how often; units for purchases), the most wanted first."""
        start, end = [type, days.first.isoformat()], [type, days.last.isoformat(), _LAST]
        total: Counter[str] = Counter()
        for row in self._events.rows("by_product", start=start, end=end, group=True):
            total[row.key[2]] += row.value
        return _most(total, limit)

    def searches(self, days: Days, *, limit: int) -> list[tuple[str, int]]:
        """(what was searched for, how often), the most frequent first."""
        start, end = [days.first.isoformat()], [days.last.isoformat(), _LAST]
        total: Counter[str] = Counter()
        for row in self._events.rows("by_query", start=start, end=end, group=True):
            total[row.key[1]] += row.value
        return _most(total, limit)

    def _visitors(self, type: str, days: Days) -> tuple[int, int]:
        start, end = [type, days.first.isoformat()], [type, days.last.isoformat(), _LAST]
        rows = self._events.rows("by_visitor", start=start, end=end, group=True)
        return len({row.key[2] for row in rows}), sum(row.value for row in rows)


def _most(total: Counter[str], limit: int) -> list[tuple[str, int]]:
    return sorted(total.items(), key=lambda pair: (-pair[1], pair[0]))[:limit]
