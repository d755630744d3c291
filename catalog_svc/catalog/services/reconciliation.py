"""Bring stock in line with the orders, after a restore or a promotion.

It bypasses `StockWriter`, which prunes orders finished a day ago: nothing may be pruned until every order
has been compared. So sales must not go on meanwhile.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from catalog.domain import ExpectedReservation, ReconciliationOutcome, Stock, reconcile_stock
from catalog.services import events
from chassis.couch import Page, Repository

_UNKNOWN = "unknown-sku"


@dataclass(frozen=True, slots=True)
class ReconciliationResult:
    """Correction of an order's units of one SKU, or the reason why there was none."""

    order_id: str
    sku: str
    outcome: str
    available: int


class StockReconciliation:
    def __init__(self, stock: Repository[Stock], clock: Callable[[], datetime]) -> None:
        self._stock, self._clock = stock, clock

    def list_stock(self, *, limit: int, cursor: str | None) -> Page[Stock]:
        """Return a page of all stock, by SKU."""
        return self._stock.find("id", limit=limit, cursor=cursor)

    def reconcile(self, expected: Sequence[tuple[str, ExpectedReservation]]) -> list[ReconciliationResult]:
        """Apply (SKU, expected reservation) pairs and return the corrections.

        Pairs of one SKU are applied in their order. The call may be repeated.
        """
        by_sku: dict[str, list[ExpectedReservation]] = defaultdict(list)
        for sku, one in expected:
            by_sku[sku].append(one)
        found = {stock.sku: stock for stock in self._stock.get_many(sorted(by_sku))}
        results: list[ReconciliationResult] = []
        for sku, wanted in sorted(by_sku.items()):
            results += self._reconcile_sku(found.get(sku), sku, wanted)
        return results

    def _reconcile_sku(
        self, stock: Stock | None, sku: str, expected: Sequence[ExpectedReservation]
    ) -> list[ReconciliationResult]:
        if stock is None:
            return [ReconciliationResult(one.order_id, sku, _UNKNOWN, 0) for one in expected]
        trial = copy.deepcopy(stock)
        results = self._apply(trial, expected)
        if (trial.reservations, trial.finished) == (stock.reservations, stock.finished):
            return results  # nothing to write

        def change(fresh: Stock) -> None:
            nonlocal results
            before = fresh.availability
            results = self._apply(fresh, expected)
            if fresh.availability is not before:
                events.append_availability_changed(fresh, self._clock())

        self._stock.update(sku, change)
        return results

    def _apply(self, stock: Stock, expected: Sequence[ExpectedReservation]) -> list[ReconciliationResult]:
        now = self._clock()
        outcomes = [(one.order_id, reconcile_stock(stock, one, now)) for one in expected]
        return [
            ReconciliationResult(order_id, stock.sku, outcome, stock.available)
            for order_id, outcome in outcomes
            if outcome is not ReconciliationOutcome.NOTHING
        ]
