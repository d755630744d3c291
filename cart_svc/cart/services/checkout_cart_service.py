"""Use cases of checkout on a cart: read, claim, unclaim, remove ordered lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from cart.domain import Cart, ClaimRefused
from chassis.api.errors import Conflict
from chassis.couch import NotFound, Repository


class CheckoutCartService:
    """The checkout-facing use cases of carts."""

    def __init__(self, *, carts: Repository[Cart], clock: Callable[[], datetime]) -> None:
        self._carts, self._clock = carts, clock

    def cart_get(self, id: str) -> Cart:
        """Return the stored cart. Raises NotFound, also for a guest's cart that was merged."""
        cart = self._carts.get(id)
        if cart.merged_into is not None:
            raise NotFound(id)
        return cart

    def cart_claim(self, id: str, *, order_id: str, version: int) -> Cart:
        """Claim a version of the cart. Raises 409 `cart-claimed` or `cart-changed`."""
        try:
            return self._carts.update(id, lambda cart: cart.claim(order_id, version))
        except ClaimRefused as violation:
            raise Conflict(violation.type, violation.detail) from violation

    def cart_unclaim(self, id: str, *, order_id: str) -> Cart:
        """Release the order's claim."""
        return self._carts.update(id, lambda cart: cart.unclaim(order_id))

    def cart_remove_ordered(
        self, id: str, *, order_id: str, lines: Iterable[Mapping[str, Any]]
    ) -> tuple[Cart, bool]:
        """Remove the ordered lines; return the cart, and True the first time. Follows a merged cart."""
        ordered: Counter[str] = Counter()
        for line in lines:
            ordered[line["sku"]] += line["quantity"]
        first = False

        def change(cart: Cart) -> None:
            nonlocal first
            first = cart.remove_ordered(order_id, ordered, self._clock())

        into = self._carts.get(id).merged_into
        cart = self._carts.update(into or id, change)
        return cart, first
