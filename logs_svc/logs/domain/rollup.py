"""What events add up to. Rollups can be put together in any order: a batch's into its day's, days into a
month's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from logs.domain.events import FUNNEL, TYPES, Told, found_nothing
from logs.domain.sketch import Sketch
from logs.domain.widgets import Credit, Widgets

#: Of a day (or month) at most so many products a type and so many searches are kept, the most frequent ones.
KEPT, KEPT_MINOR, KEPT_SEARCHES = 500, 200, 500
_MAJOR = frozenset({"view", "click", "add_to_cart", "purchase"})
#: The order of the numbers that the view `series` emits for a day.
SERIES = (*TYPES, "orders", "units", "bots", "anonymous")


@dataclass(slots=True)
class Rollup:
    """`hours[type][hour]` counts events; `products[type][id]` too (units for purchases);
    `searches[text]` is [all, those without results]; `revenue[currency]` is in minor units.
    """

    hours: dict[str, list[int]] = field(default_factory=dict)
    products: dict[str, Counter[str]] = field(default_factory=dict)
    searches: dict[str, list[int]] = field(default_factory=dict)
    visitors: dict[str, Sketch] = field(default_factory=dict)
    revenue: Counter[str] = field(default_factory=Counter)
    orders: int = 0
    units: int = 0
    anonymous: int = 0
    bots: Counter[str] = field(default_factory=Counter)
    widgets: Widgets = field(default_factory=Widgets)

    def add(self, event: Told) -> None:
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
            self.visitors.setdefault(event.type, Sketch()).add(visitor)
        if event.query:
            self._add_search(event.query, 1, int(found_nothing(event.type, event.data)))
        self.widgets.add(event)
        if event.type == "purchase":
            self.units += event.quantity
            self._add_order(event)

    def _add_order(self, event: Told) -> None:
        """An order's total is on the first of its lines only."""
        if event.currency:
            self.orders += 1
            self.revenue[event.currency] += event.amount

    def _add_search(self, query: str, times: int, empty: int) -> None:
        both = self.searches.setdefault(query, [0, 0])
        both[0] += times
        both[1] += empty

    def update(self, other: Rollup) -> None:
        """This and the other one."""
        for type, hours in other.hours.items():
            mine = self.hours.get(type, [0] * 24)
            self.hours[type] = [one + two for one, two in zip(mine, hours, strict=True)]
        for type, counts in other.products.items():
            self.products.setdefault(type, Counter()).update(counts)
        for query, (times, empty) in other.searches.items():
            self._add_search(query, times, empty)
        for step, sketch in other.visitors.items():
            self.visitors.setdefault(step, Sketch()).update(sketch)
        self.revenue.update(other.revenue)
        self.bots.update(other.bots)
        self.widgets.update(other.widgets)
        self.orders += other.orders
        self.units += other.units
        self.anonymous += other.anonymous

    def trim(self, slack: int = 2) -> None:
        """Leave the most frequent; only what has grown to `slack` times that is cut, so that a product which
        starts low can still rise.
        """
        for type, counts in self.products.items():
            kept = KEPT if type in _MAJOR else KEPT_MINOR
            if len(counts) > slack * kept:
                self.products[type] = Counter(dict(counts.most_common(kept)))
        if len(self.searches) > slack * KEPT_SEARCHES:
            most = sorted(self.searches.items(), key=lambda pair: -pair[1][0])[:KEPT_SEARCHES]
            self.searches = dict(most)
        self.widgets.trim(slack)

    def total(self, type: str) -> int:
        return sum(self.hours.get(type, ()))

    def series(self) -> list[int]:
        """The day in numbers, in the order of `SERIES`."""
        counts = [self.total(type) for type in TYPES]
        return [*counts, self.orders, self.units, sum(self.bots.values()), self.anonymous]

    def stored(self) -> dict[str, Any]:
        """As JSON. Names that visitors choose are values, never keys."""
        return {
            "hours": self.hours,
            "products": {
                type: [list(pair) for pair in counts.items()] for type, counts in self.products.items()
            },
            "searches": [[query, *both] for query, both in self.searches.items()],
            "visitors": {step: sketch.stored() for step, sketch in self.visitors.items()},
            "revenue": dict(self.revenue),
            "orders": self.orders,
            "units": self.units,
            "anonymous": self.anonymous,
            "bots": dict(self.bots),
            "widgets": self.widgets.stored(),
            "series": self.series(),
        }

    @classmethod
    def read(cls, stored: dict[str, Any]) -> Rollup:
        return cls(
            hours={type: list(hours) for type, hours in stored.get("hours", {}).items()},
            products={type: Counter(dict(pairs)) for type, pairs in stored.get("products", {}).items()},
            searches={query: [times, empty] for query, times, empty in stored.get("searches", ())},
            visitors={step: Sketch.read(each) for step, each in stored.get("visitors", {}).items()},
            revenue=Counter(stored.get("revenue", {})),
            orders=stored.get("orders", 0),
            units=stored.get("units", 0),
            anonymous=stored.get("anonymous", 0),
            bots=Counter(stored.get("bots", {})),
            widgets=Widgets.read(stored.get("widgets", ())),
        )


def by_day(events: Iterable[Told], credits: Iterable[Credit] = ()) -> dict[str, Rollup]:
    """A rollup for each day on which some of the events happened; `credits` are those of them that a widget
    led to, and which one.
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
