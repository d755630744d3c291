"""Statistics of events, computed from rollups only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from logs.domain import FUNNEL, TYPES, Rollup
from logs.domain.rollup import SERIES
from logs.rollups import Days, Rollups, Unmerged
from logs.services.conversion import Conversion


@dataclass(frozen=True, slots=True)
class Overview:
    """The key figures of a range of days.

    `revenue` is by currency, in minor units. `conversion` is the share of viewing visitors who bought; None
    if nobody viewed a product.
    """

    visitors: int
    events: int
    orders: int
    units: int
    revenue: dict[str, int]
    conversion: float | None
    bots: dict[str, int]
    anonymous: int
    searches: int
    searches_without_results: int
    hours: list[int]


@dataclass(frozen=True, slots=True)
class DayFigures:
    """The figures of a day: events by type, orders, units, revenue by currency, events of bots."""

    day: str
    counts: dict[str, int]
    orders: int
    units: int
    bots: int
    revenue: dict[str, int]


class Stats:
    def __init__(self, *, rollups: Rollups, wait_until_stored: Callable[[], object]) -> None:
        self._rollups, self._wait_until_stored = rollups, wait_until_stored

    def timeseries(self, days: Days) -> list[DayFigures]:
        """Return the figures of every day of the range."""
        self._wait_until_stored()
        return self._series(days, self._rollups.unmerged(days))

    def funnel(self, days: Days) -> list[tuple[str, int, int]]:
        """Return (step, visitors, events) from view to purchase; a visitor is a session, else an account."""
        return _funnel(self._total(days))

    def top_products(self, days: Days, *, type: str, limit: int) -> list[tuple[str, int]]:
        """Return (product id, count of events, or of units for purchases), the highest first."""
        return _top(self._total(days), type, limit)

    def searches(
        self, days: Days, *, limit: int, without_results: bool = False
    ) -> list[tuple[str, int, int]]:
        """Return (query, count, count without results), the most frequent first.

        With `without_results`, only searches that found nothing.
        """
        return _searches(self._total(days), limit, without_results)

    def widgets(self, days: Days) -> Conversion:
        """Return the conversion figures of all widgets."""
        return Conversion.of(self._total(days).widgets)

    def range_figures(self, days: Days) -> RangeFigures:
        """Read all that the dashboard shows, once."""
        self._wait_until_stored()
        unmerged = self._rollups.unmerged(days)
        return RangeFigures(self._rollups.total(days, unmerged), self._series(days, unmerged))

    def _series(self, days: Days, unmerged: Unmerged) -> list[DayFigures]:
        series, revenue = self._rollups.series(days, unmerged), self._rollups.revenue(days, unmerged)
        return [_figures(day, series.get(day, []), revenue) for day in days]

    def _total(self, days: Days) -> Rollup:
        self._wait_until_stored()
        return self._rollups.total(days, self._rollups.unmerged(days))


class RangeFigures:
    """The figures of a range of days, read once."""

    def __init__(self, total: Rollup, series: list[DayFigures]) -> None:
        self._total, self.series = total, series

    @property
    def funnel(self) -> list[tuple[str, int, int]]:
        return _funnel(self._total)

    def top_products(self, type: str, limit: int) -> list[tuple[str, int]]:
        return _top(self._total, type, limit)

    def searches(self, limit: int, *, without_results: bool = False) -> list[tuple[str, int, int]]:
        return _searches(self._total, limit, without_results)

    @property
    def widgets(self) -> Conversion:
        return Conversion.of(self._total.widgets)

    @property
    def overview(self) -> Overview:
        total = self._total
        visitors = {step: seen for step, seen, _ in self.funnel}
        looked, bought = visitors["view"], visitors["purchase"]
        return Overview(
            visitors=looked,
            events=sum(total.total(type) for type in TYPES),
            orders=total.orders,
            units=total.units,
            revenue=dict(total.revenue),
            conversion=bought / looked if looked else None,
            bots=dict(total.bots),
            anonymous=total.anonymous,
            searches=total.total("search"),
            searches_without_results=sum(empty for _, empty in total.searches.values()),
            hours=[sum(hours[hour] for hours in total.hours.values()) for hour in range(24)],
        )


def _figures(day: str, series: list[int], revenue: dict[str, dict[str, int]]) -> DayFigures:
    known = dict(zip(SERIES, series, strict=False))
    return DayFigures(
        day=day,
        counts={type: known[type] for type in sorted(TYPES) if known.get(type)},
        orders=known.get("orders", 0),
        units=known.get("units", 0),
        bots=known.get("bots", 0),
        revenue={currency: amounts[day] for currency, amounts in revenue.items() if day in amounts},
    )


def _funnel(total: Rollup) -> list[tuple[str, int, int]]:
    found = []
    for step in FUNNEL:
        sketch = total.visitors.get(step)
        found.append((step, sketch.count() if sketch else 0, total.total(step)))
    return found


def _top(total: Rollup, type: str, limit: int) -> list[tuple[str, int]]:
    counts: Mapping[str, int] = total.products.get(type, {})
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:limit]


def _searches(total: Rollup, limit: int, without_results: bool) -> list[tuple[str, int, int]]:
    """Return rows of (query, count, count without results)."""
    rows = [(query, times, empty) for query, (times, empty) in total.searches.items()]
    if without_results:
        return sorted((row for row in rows if row[2]), key=lambda row: (-row[2], row[0]))[:limit]
    return sorted(rows, key=lambda row: (-row[1], row[0]))[:limit]
