"""Stock made to agree with the orders, after a restore or a promotion (design/checkout.md, "Stock").

It writes past `StockWriter`, which forgets what was finished a day ago: until every order has been told,
nobody knows what is missing. So sales must not go on meanwhile.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from catalog.domain import Outcome, Stock, Truth, correct
from catalog.services import facts
from chassis.couch import Page, Repository

_UNKNOWN = "unknown-sku"


@dataclass(frozen=True, slots=True)
class Corrected:
    """What was done, or why nothing could be, about an order's units of one SKU."""

    order_id: str
    sku: str
    outcome: str
    available: int


class Correction:
    def __init__(self, stock: Repository[Stock], clock: Callable[[], datetime]) -> None:
        self._stock, self._clock = stock, clock

    def books(self, *, limit: int, cursor: str | None) -> Page[Stock]:
        """All stock, by SKU."""
        return self._stock.find("id", limit=limit, cursor=cursor)

    def correct(self, truths: Sequence[tuple[str, Truth]]) -> list[Corrected]:
        """Make (SKU, truth) so; what there was to say, in that order for each SKU. May be repeated."""
        by_sku: dict[str, list[Truth]] = defaultdict(list)
        for sku, truth in truths:
            by_sku[sku].append(truth)
        found = {stock.sku: stock for stock in self._stock.get_many(sorted(by_sku))}
        told: list[Corrected] = []
        for sku, wanted in sorted(by_sku.items()):
            told += self._sku(found.get(sku), sku, wanted)
        return told

    def _sku(self, stock: Stock | None, sku: str, truths: Sequence[Truth]) -> list[Corrected]:
        if stock is None:
            return [Corrected(truth.order_id, sku, _UNKNOWN, 0) for truth in truths]
        tried = copy.deepcopy(stock)
        told = self._apply(tried, truths)
        if (tried.reservations, tried.finished) == (stock.reservations, stock.finished):
            return told  # nothing to write

        def change(fresh: Stock) -> None:
            nonlocal told
            before = fresh.availability
            told = self._apply(fresh, truths)
            if fresh.availability is not before:
                facts.availability_changed(fresh, self._clock())

        self._stock.update(sku, change)
        return told

    def _apply(self, stock: Stock, truths: Sequence[Truth]) -> list[Corrected]:
        now = self._clock()
        outcomes = [(truth.order_id, correct(stock, truth, now)) for truth in truths]
        return [
            Corrected(order_id, stock.sku, outcome, stock.available)
            for order_id, outcome in outcomes
            if outcome is not Outcome.NOTHING
        ]
