"""Handlers of events from other services; each written document carries the event's id or number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from catalog.domain import Purchase, Review
from chassis.couch import Conflict, NotFound, Repository

Clock = Callable[[], datetime]


class EventHandlers:
    """Event handlers that return `done`, `duplicate` or `ignored` and may be repeated."""

    def __init__(self, purchases: Repository[Purchase], reviews: Repository[Review], clock: Clock) -> None:
        self._purchases = purchases
        self._reviews = reviews
        self._clock = clock

    def order_confirmed(self, data: Mapping[str, Any]) -> str:
        """Store a purchase, for popularity and verified reviews.

        There is one document per order, so a repeated event is detected.
        """
        quantities: dict[str, int] = {}
        for line in data["lines"]:
            quantities[line["product_id"]] = quantities.get(line["product_id"], 0) + int(line["quantity"])
        purchase = Purchase(str(data["order_id"]), quantities, self._clock(), data.get("account_id"))
        try:
            self._purchases.add(purchase)
        except Conflict:
            return "duplicate"
        return "done"

    def order_cancelled(self, data: Mapping[str, Any]) -> str:
        def cancel(purchase: Purchase) -> None:
            purchase.cancelled = True

        try:
            self._purchases.update(str(data["order_id"]), cancel)
        except NotFound:
            return "ignored"  # it was never confirmed
        return "done"

    def account_erased(self, data: Mapping[str, Any]) -> str:
        """Remove the account from its purchases and reviews, which stay."""
        account_id = str(data["account_id"])
        for purchase in _find_by_account(self._purchases, account_id):
            self._purchases.update(purchase.id, _without_account)
        for review in _find_by_account(self._reviews, account_id):
            self._reviews.update(review.id, Review.anonymise)
        return "done"


def _find_by_account(repository: Repository[Any], account_id: str) -> list[Any]:
    found: list[Any] = []
    cursor = None
    while True:
        page = repository.find("account", {"account_id": account_id}, limit=100, cursor=cursor)
        found.extend(page.items)
        cursor = page.next
        if cursor is None:
            return found


def _without_account(purchase: Purchase) -> None:
    purchase.account_id = None
