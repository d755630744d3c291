"""Handlers of other services' events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cart.domain import Cart, account_cart_id
from cart.services.checkout_cart_service import CheckoutCartService
from chassis.couch import Conflict, NotFound, Repository
from chassis.messaging import Envelope, Rejected


class EventHandlers:
    """Apply events to carts; each returns `done`, `duplicate` or `ignored`."""

    def __init__(self, *, carts: Repository[Cart], checkout_cart_service: CheckoutCartService) -> None:
        self._carts, self._checkout_carts = carts, checkout_cart_service

    def order_confirmed(self, envelope: Envelope) -> str:
        """Remove the ordered lines from the cart, once per order."""
        data = envelope.data
        if not data.get("cart_id"):
            return "ignored"
        try:
            order_id, lines = _ordered(data)
            _, first = self._checkout_carts.cart_remove_ordered(
                data["cart_id"], order_id=order_id, lines=lines
            )
        except NotFound:
            return "ignored"
        return "done" if first else "duplicate"

    def order_cancelled(self, envelope: Envelope) -> str:
        """Release the order's claim, so that the cart can be ordered again."""
        data = envelope.data
        if not data.get("cart_id"):
            return "ignored"
        try:
            self._checkout_carts.cart_unclaim(data["cart_id"], order_id=_order_id(data))
        except NotFound:
            return "ignored"
        return "done"

    def account_erased(self, envelope: Envelope) -> str:
        """Delete the cart of an erased account."""
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
