"""Prices of a basket from the catalogue's documents; prices sent by clients are ignored."""

from __future__ import annotations

from dataclasses import dataclass

from ..domain import Address, CartRef, Line, Totals, price, shipping_method
from .ports import Carts, Catalog, RuleViolation


@dataclass(frozen=True, slots=True)
class Basket:
    """The goods to buy: either the cart ``cart_id`` or ``lines`` (SKU to quantity)."""

    cart_id: str | None = None
    lines: dict[str, int] | None = None


@dataclass(frozen=True, slots=True)
class PricedBasket:
    lines: tuple[Line, ...]
    totals: Totals
    cart: CartRef | None


class Pricing:
    def __init__(self, catalog: Catalog, carts: Carts) -> None:
        self._catalog, self._carts = catalog, carts

    def price(
        self, basket: Basket, *, account_id: str | None, address: Address, method: str, coupon: str = ""
    ) -> PricedBasket:
        """Return lines and totals. Raises RuleViolation (404 cart, 422 rules) and DependencyUnavailable."""
        chosen = shipping_method(method, address.country)
        if chosen is None:
            raise RuleViolation(
                422,
                "unknown-shipping-method",
                f"There is no shipping method {method!r} to {address.country}.",
            )
        if coupon:
            raise RuleViolation(422, "unknown-coupon", "There is no such coupon.")
        quantities, cart = self._quantities(basket, account_id)
        lines = self._lines(quantities)
        return PricedBasket(lines, price(lines, chosen.price, address.country), cart)

    def _quantities(self, basket: Basket, account_id: str | None) -> tuple[dict[str, int], CartRef | None]:
        if basket.lines is not None:
            return basket.lines, None
        cart = self._carts.get(basket.cart_id or "")
        if cart is None or cart.account_id not in (None, account_id):
            raise RuleViolation(404, "not-found", "There is no such cart.")
        if not cart.lines:
            raise RuleViolation(422, "cart-empty", "The cart is empty.")
        return cart.lines, CartRef(cart.id, cart.version)

    def _lines(self, quantities: dict[str, int]) -> tuple[Line, ...]:
        known = self._catalog.skus(sorted(quantities))
        unknown = [sku for sku in quantities if sku not in known]
        if unknown:
            raise RuleViolation(422, "unknown-sku", "Some of it is not for sale.", skus=unknown)
        return tuple(
            Line(
                sku=sku, quantity=quantity, unit_price=one.price, product_id=one.product_id, title=one.title,
                slug=one.slug, image=one.image, tax_class=one.tax_class, attributes=one.attributes,
            )
            for sku, quantity in quantities.items()
            for one in (known[sku],)
        )  # fmt: skip
