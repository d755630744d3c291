"""What happens to carts without a shopper: facts of other services, and time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from cart.domain import Cart, account_cart_id
from cart.services.orders import OrderDesk
from chassis.couch import Conflict, NotFound, Repository
from chassis.messaging import Envelope, Rejected

log = logging.getLogger(__name__)

GUESTS_KEPT = timedelta(days=60)  # since the last change
_AT_ONCE = 100


class Keeper:
    def __init__(self, *, carts: Repository[Cart], desk: OrderDesk, clock: Callable[[], datetime]) -> None:
        self._carts, self._desk, self._clock = carts, desk, clock

    # -- facts
    def order_confirmed(self, envelope: Envelope) -> str:
        """What was bought leaves the cart, once per order (the cart keeps the order's id)."""
        data = envelope.data
        if not data.get("cart_id"):
            return "ignored"
        try:
            order_id, lines = _ordered(data)
            _, first = self._desk.cart_settle(data["cart_id"], order_id=order_id, lines=lines)
        except NotFound:
            return "ignored"
        return "done" if first else "duplicate"

    def order_cancelled(self, envelope: Envelope) -> str:
        """The cart may be ordered again."""
        data = envelope.data
        if not data.get("cart_id"):
            return "ignored"
        try:
            self._desk.cart_unclaim(data["cart_id"], order_id=_order_id(data))
        except NotFound:
            return "ignored"
        return "done"

    def account_erased(self, envelope: Envelope) -> str:
        """An erased account's cart is forgotten."""
        account_id = envelope.data.get("account_id")
        if not isinstance(account_id, str) or not account_id:
            raise Rejected("account_id is missing")
        while True:
            try:
                self._carts.delete(self._carts.get(account_cart_id(account_id)))
                return "done"
            except NotFound:
                return "duplicate"
            except Conflict:
                continue  # written in between

    # -- time
    def guests_sweep(self) -> int:
        """Delete guests' carts that nobody touched for 60 days; how many."""
        old = self._carts.find("by_owner", {"guest": True}, end=self._clock() - GUESTS_KEPT, limit=_AT_ONCE)
        for cart in old:
            try:
                self._carts.delete(cart)
            except (Conflict, NotFound):
                log.info("a cart was touched as it was to be swept away")
        return len(old)


def _order_id(data: Mapping[str, Any]) -> str:
    order_id = data.get("order_id")
    if not isinstance(order_id, str) or not order_id:
        raise Rejected("order_id is missing")
    return order_id


def _ordered(data: Mapping[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    lines = data.get("lines")
    if not isinstance(lines, list) or not all(_is_line(line) for line in lines):
        raise Rejected("lines are not [{sku, quantity}]")
    return _order_id(data), lines


def _is_line(line: Any) -> bool:
    return isinstance(line, dict) and isinstance(line.get("sku"), str) and type(line.get("quantity")) is int
