"""Rollups: counts of events that can be merged in any order, batches into days and days into months."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from logs.domain.events import FUNNEL, TYPES, IncomingEvent, found_nothing
from logs.domain.hyperloglog import HyperLogLog
from logs.domain.widgets import Credit, Widgets

#: Limits of a day or month: products per type of event, and searches; the most frequent are kept.
MAX_PRODUCTS, MAX_MINOR_PRODUCTS, MAX_SEARCHES = 500, 200, 500
_MAJOR = frozenset({"view", "click", "add_to_cart", "purchase"})
#: The order of the numbers that the view `series` emits for a day.
SERIES = (*TYPES, "orders", "units", "bots", "anonymous")


@dataclass(slots=True)
class Rollup:
    """Counts of the events of one batch, day or month.

    `hours[type][hour]` and `products[type][id]` count events (units for purchases). `searches[text]` is [all,
    those without results]. `revenue[currency]` is in minor units.
    """

    hours: dict[str, list[int]] = field(default_factory=dict)
    products: dict[str, Counter[str]] = field(default_factory=dict)
    searches: dict[str, list[int]] = field(default_factory=dict)
    visitors: dict[str, HyperLogLog] = field(default_factory=dict)
    revenue: Counter[str] = field(default_factory=Counter)
    orders: int = 0
    units: int = 0
    anonymous: int = 0
    bots: Counter[str] = field(default_factory=Counter)
    widgets: Widgets = field(default_factory=Widgets)

    def add(self, event: IncomingEvent) -> None:
        """Count one event."""
        hours = self.hours.get(event.type)
        if hours is None:
            hours = self.hours[event.type] = [0] * 24
        hours[int(event.at[11:13])] += 1
        if event.product_id:
            counts = self.products.get(event.type)
            if counts is None:
                counts = self.products[event.type] = Counter()
            counts[event.product_id] += event.quantity if event.type == "purchase" else 1
        visitor = event.session or event.user
        if visitor is None:
            self.anonymous += 1
        elif event.type in FUNNEL:
            self.visitors.setdefault(event.type, HyperLogLog()).add(visitor)
        if event.query:
            self._add_search(event.query, 1, int(found_nothing(event.type, event.data)))
        self.widgets.add(event)
        if event.type == "purchase":
            self.units += event.quantity
            self._add_order(event)

    def _add_order(self, event: IncomingEvent) -> None:
        """Count an order, whose total is on the first of its lines only."""
        if event.currency:
            self.orders += 1
            self.revenue[event.currency] += event.amount

    def _add_search(self, query: str, times: int, empty: int) -> None:
        both = self.searches.setdefault(query, [0, 0])
        both[0] += times
        both[1] += empty

    def update(self, other: Rollup) -> None:
        """Add the counts of another rollup."""
        for type, hours in other.hours.items():
            mine = self.hours.get(type, [0] * 24)
            self.hours[type] = [one + two for one, two in zip(mine, hours, strict=True)]
        for type, counts in other.products.items():
            self.products.setdefault(type, Counter()).update(counts)
        for query, (times, empty) in other.searches.items():
            self._add_search(query, times, empty)
        for step, sketch in other.visitors.items():
            self.visitors.setdefault(step, HyperLogLog()).update(sketch)
        self.revenue.update(other.revenue)
        self.bots.update(other.bots)
        self.widgets.update(other.widgets)
        self.orders += other.orders
        self.units += other.units
        self.anonymous += other.anonymous

    def trim(self, slack: int = 2) -> None:
        """Keep the most frequent entries of each table that has grown to `slack` times its limit.

        The slack lets a product that starts low still rise.
        """
        for type, counts in self.products.items():
            kept = MAX_PRODUCTS if type in _MAJOR else MAX_MINOR_PRODUCTS
            if len(counts) > slack * kept:
                self.products[type] = Counter(dict(counts.most_common(kept)))
        if len(self.searches) > slack * MAX_SEARCHES:
            most = sorted(self.searches.items(), key=lambda pair: -pair[1][0])[:MAX_SEARCHES]
            self.searches = dict(most)
        self.widgets.trim(slack)

    def total(self, type: str) -> int:
        return sum(self.hours.get(type, ()))

    def series(self) -> list[int]:
        """Return the totals in the order of `SERIES`."""
        counts = [self.total(type) for type in TYPES]
        return [*counts, self.orders, self.units, sum(self.bots.values()), self.anonymous]

    def to_document(self) -> dict[str, Any]:
        """Return JSON data, in which names that visitors choose are values, never keys."""
        return {
            "hours": self.hours,
            "products": {
                type: [list(pair) for pair in counts.items()] for type, counts in self.products.items()
            },
            "searches": [[query, *both] for query, both in self.searches.items()],
            "visitors": {step: sketch.to_document() for step, sketch in self.visitors.items()},
            "revenue": dict(self.revenue),
            "orders": self.orders,
            "units": self.units,
            "anonymous": self.anonymous,
            "bots": dict(self.bots),
            "widgets": self.widgets.to_document(),
            "series": self.series(),
        }

    @classmethod
    def from_document(cls, stored: dict[str, Any]) -> Rollup:
        return cls(
            hours={type: list(hours) for type, hours in stored.get("hours", {}).items()},
            products={type: Counter(dict(pairs)) for type, pairs in stored.get("products", {}).items()},
            searches={query: [times, empty] for query, times, empty in stored.get("searches", ())},
            visitors={
                step: HyperLogLog.from_document(each) for step, each in stored.get("visitors", {}).items()
            },
            revenue=Counter(stored.get("revenue", {})),
            orders=stored.get("orders", 0),
            units=stored.get("units", 0),
            anonymous=stored.get("anonymous", 0),
            bots=Counter(stored.get("bots", {})),
            widgets=Widgets.from_document(stored.get("widgets", ())),
        )


def by_day(events: Iterable[IncomingEvent], credits: Iterable[Credit] = ()) -> dict[str, Rollup]:
    """Group events into one rollup per day.

    `credits` are pairs of an event and the widget that led to it.
    """
    days: dict[str, Rollup] = {}
    for event in events:
        day = event.at[:10]
        rollup = days.get(day)
        if rollup is None:
            rollup = days[day] = Rollup()
        rollup.add(event)
    for event, widget in credits:
        days[event.at[:10]].widgets.credit(event, widget)
    return days
