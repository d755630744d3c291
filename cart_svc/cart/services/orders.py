"""What checkout does with a cart: read it, claim a version, let go of it, take out what was bought."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from cart.domain import Cart, ClaimRefused
from chassis.api.errors import Conflict
from chassis.couch import NotFound, Repository


class OrderDesk:
    def __init__(self, *, carts: Repository[Cart], clock: Callable[[], datetime]) -> None:
        self._carts, self._clock = carts, clock

    def cart_get(self, id: str) -> Cart:
        """The cart as it is stored; NotFound also for a guest's that an account took over."""
        cart = self._carts.get(id)
        if cart.merged_into is not None:
            raise NotFound(id)
        return cart

    def cart_claim(self, id: str, *, order_id: str, version: int) -> Cart:
        """Problem 409 `cart-claimed` or `cart-changed`."""
        try:
            return self._carts.update(id, lambda cart: cart.claim(order_id, version))
        except ClaimRefused as refused:
            raise Conflict(refused.type, refused.detail) from refused

    def cart_unclaim(self, id: str, *, order_id: str) -> Cart:
        return self._carts.update(id, lambda cart: cart.unclaim(order_id))

    def cart_settle(self, id: str, *, order_id: str, lines: Iterable[Mapping[str, Any]]) -> tuple[Cart, bool]:
        """Take out what was ordered; the cart, and whether it was the first time. Follows a merged cart."""
        ordered: Counter[str] = Counter()
        for line in lines:
            ordered[line["sku"]] += line["quantity"]
        first = False

        def settle(cart: Cart) -> None:
            nonlocal first
            first = cart.settle(order_id, ordered, self._clock())

        into = self._carts.get(id).merged_into
        cart = self._carts.update(into or id, settle)
        return cart, first
