"""Cart, checkout and orders of one shopper."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chassis.clients import Refused, ServiceUnavailable, Throttled
from shop.clients import Caller, Cart, Checkout, Json
from shop.domain import cart as carts
from shop.domain import checkout as checkouts
from shop.domain import orders
from shop.domain.checkout import OrderRejection

#: Seconds before the second and third attempt to add to the cart; after that the page retries.
_RETRY_DELAYS = (0.15, 0.4)


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """Accepted order; a guest opens its page with the token."""

    number: str
    token: str
    confirmed: bool


class OrderService:
    """Use cases of cart, checkout and orders."""

    def __init__(
        self, *, cart: Cart, checkout: Checkout, locale: str, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._cart, self._checkout, self._locale, self._sleep = cart, checkout, locale, sleep

    def cart(self, caller: Caller) -> Json:
        """Return the cart; a caller without cart or account gets an empty one without a request.

        Raises `ServiceUnavailable`.
        """
        if not caller.token and not caller.cart_id:
            return carts.present_cart({}, self._locale)
        return carts.present_cart(self._cart.get(caller), self._locale)

    def count(self, caller: Caller) -> int:
        """Return the number of items for the badge."""
        if not caller.token and not caller.cart_id:
            return 0
        return int(self._cart.get(caller, timeout=1.0).get("count") or 0)

    def add(self, caller: Caller, sku: str, quantity: int, key: str = "") -> Json:
        """Add to the cart and return it with its `id`.

        While the cart service is unavailable it retries with the same key.
        """
        key = key or new_idempotency_key()
        for pause in _RETRY_DELAYS:
            try:
                return carts.present_cart(self._cart.add(caller, sku, quantity, key), self._locale)
            except Throttled:
                raise  # rate limited: retrying at once would only take longer
            except ServiceUnavailable:
                self._sleep(pause)
        return carts.present_cart(self._cart.add(caller, sku, quantity, key), self._locale)

    def change(self, caller: Caller, sku: str, quantity: int) -> Json:
        answer = self._cart.change(caller, sku, quantity) if quantity else self._cart.remove(caller, sku)
        return carts.present_cart(answer, self._locale)

    def remove(self, caller: Caller, sku: str) -> Json:
        return carts.present_cart(self._cart.remove(caller, sku), self._locale)

    def save(self, caller: Caller, sku: str) -> Json:
        return carts.present_cart(self._cart.save(caller, sku), self._locale)

    def restore(self, caller: Caller, sku: str) -> Json:
        return carts.present_cart(self._cart.restore(caller, sku), self._locale)

    def coupon(self, caller: Caller, code: str) -> Json:
        return carts.present_cart(self._cart.coupon(caller, code), self._locale)

    def drop_coupon(self, caller: Caller) -> Json:
        return carts.present_cart(self._cart.drop_coupon(caller), self._locale)

    def methods(self, caller: Caller, country: str, chosen: str) -> list[Json]:
        """Return the shipping methods to a country.

        Raises `ServiceUnavailable`.
        """
        return checkouts.present_methods(self._checkout.methods(caller, country), chosen, self._locale)

    def totals(
        self, caller: Caller, cart: Json, methods: list[Json], values: Mapping[str, Any]
    ) -> Json | None:
        """Return the summary: a quote once there is an address, an estimate before that."""
        method = next((m for m in methods if m["on"]), None)
        address = checkouts.address_fields(values)
        if method and {"name", "line1", "postal_code", "city", "country"} <= address.keys():
            body = {"cart_id": cart["id"], "shipping_address": address, "shipping_method": method["code"]}
            try:
                return checkouts.present_totals(self._checkout.quote(caller, body), self._locale)
            except (Refused, ServiceUnavailable):
                # The error is reported when the order is placed; until then show an estimate.
                pass
        return checkouts.estimate_totals(
            cart["total_money"], cart["subtotal"], cart["discount"], method, self._locale
        )

    def accepts_payments(self, caller: Caller) -> bool:
        """Return True if the shop takes payments at all.

        Raises `ServiceUnavailable`.
        """
        return bool(self._checkout.payment_methods(caller))

    def place(self, caller: Caller, cart: Json, values: Mapping[str, Any]) -> PlacedOrder | OrderRejection:
        """Place the order; return an `OrderRejection` if that fails.

        Only the 401 for an expired access token is raised.
        """
        if not cart["id"]:
            return OrderRejection(*checkouts.EMPTY, new_key=False, status=409)
        body = checkouts.order_body(values, str(cart["id"]))
        try:
            answer = self._checkout.place(caller, body, str(values["key"]))
        except Refused as refused:
            if refused.status == 401:
                raise
            titles = {line["sku"]: line["title"] for line in cart["lines"]}
            return checkouts.explain_rejection(refused.status, refused.problem, titles)
        except ServiceUnavailable as down:
            return self._explain_failure(caller, down)
        order = answer.json
        return PlacedOrder(order["number"], order.get("access_token") or "", order["status"] == "confirmed")

    def _explain_failure(self, caller: Caller, down: ServiceUnavailable) -> OrderRejection:
        try:
            return _reject_for_outage(down) if self.accepts_payments(caller) else checkouts.NO_PAYMENTS
        except ServiceUnavailable:
            return _reject_for_outage(down)

    def order(self, caller: Caller, number: str, token: str) -> Json:
        """Return an order.

        Raises `Refused` (404 for another shopper's order) and `ServiceUnavailable`.
        """
        return orders.present_order(
            self._checkout.order(caller, number, token), locale=self._locale, token=token
        )

    def orders(self, caller: Caller, cursor: str = "") -> Json:
        answer = self._checkout.orders(caller, cursor)
        return {
            "orders": [orders.present_order_row(raw, self._locale) for raw in answer["results"]],
            "next": answer.get("next"),
        }

    def cancel(self, caller: Caller, number: str, token: str) -> None:
        self._checkout.cancel(caller, number, token)


def _reject_for_outage(down: ServiceUnavailable) -> OrderRejection:
    """Return the rejection for an outage; the key is kept.

    A 429 or 503 means that nothing was stored; without a response that is unknown.
    """
    if isinstance(down, Throttled):
        return checkouts.rate_limited(down.retry_after)
    if down.status == 503:
        text = "Your cart is safe and nothing was charged. Please try again in a minute."
        return OrderRejection(
            checkouts.TRY_LATER, text, new_key=False, status=503, retry_after=down.retry_after
        )
    text = "Nothing you typed is lost. Press the button again in a minute: you cannot pay twice."
    return OrderRejection(checkouts.CHECKOUT_UNAVAILABLE, text, new_key=False, status=503)


def new_idempotency_key() -> str:
    return str(uuid.uuid4())
