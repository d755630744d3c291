"""The cart, checkout and orders of one shopper."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chassis.siblings import Refused, SiblingDown, Throttled
from shop.clients import Caller, Cart, Checkout, Json
from shop.domain import cart as carts
from shop.domain import checkout as checkouts
from shop.domain import orders
from shop.domain.checkout import Refusal

#: Waits before the second and third try of adding to the cart, in seconds; the page itself tries again
#: after that.
_PAUSES = (0.15, 0.4)


@dataclass(frozen=True, slots=True)
class Placed:
    """Where an order stands after the button was pressed."""

    number: str
    token: str
    confirmed: bool


class Buying:
    def __init__(
        self, *, cart: Cart, checkout: Checkout, locale: str, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._cart, self._checkout, self._locale, self._sleep = cart, checkout, locale, sleep

    def cart(self, who: Caller) -> Json:
        """Raises `SiblingDown`. Someone without a cart or account is not asked about: the answer is empty."""
        if not who.token and not who.cart_id:
            return carts.cart({}, self._locale)
        return carts.cart(self._cart.get(who), self._locale)

    def count(self, who: Caller) -> int:
        """How many things the badge shows."""
        if not who.token and not who.cart_id:
            return 0
        return int(self._cart.get(who, timeout=1.0).get("count") or 0)

    def add(self, who: Caller, sku: str, quantity: int, key: str = "") -> Json:
        """Puts it into the cart, trying again with the same key while the cart is away. The cart, with its
        `id`."""
        key = key or new_key()
        for pause in _PAUSES:
            try:
                return carts.cart(self._cart.add(who, sku, quantity, key), self._locale)
            except Throttled:
                raise  # asked to slow down: trying again at once would only take longer
            except SiblingDown:
                self._sleep(pause)
        return carts.cart(self._cart.add(who, sku, quantity, key), self._locale)

    def change(self, who: Caller, sku: str, quantity: int) -> Json:
        answer = self._cart.change(who, sku, quantity) if quantity else self._cart.remove(who, sku)
        return carts.cart(answer, self._locale)

    def remove(self, who: Caller, sku: str) -> Json:
        return carts.cart(self._cart.remove(who, sku), self._locale)

    def save(self, who: Caller, sku: str) -> Json:
        return carts.cart(self._cart.save(who, sku), self._locale)

    def restore(self, who: Caller, sku: str) -> Json:
        return carts.cart(self._cart.restore(who, sku), self._locale)

    def coupon(self, who: Caller, code: str) -> Json:
        return carts.cart(self._cart.coupon(who, code), self._locale)

    def drop_coupon(self, who: Caller) -> Json:
        return carts.cart(self._cart.drop_coupon(who), self._locale)

    def methods(self, who: Caller, country: str, chosen: str) -> list[Json]:
        """Ways to send to a country. Raises `SiblingDown`."""
        return checkouts.methods(self._checkout.methods(who, country), chosen, self._locale)

    def totals(self, who: Caller, cart: Json, methods: list[Json], values: Mapping[str, Any]) -> Json | None:
        """The summary: a quote once there is an address, else the cart's total and the method's price."""
        method = next((m for m in methods if m["on"]), None)
        address = checkouts.address(values)
        if method and {"name", "line1", "postal_code", "city", "country"} <= address.keys():
            body = {"cart_id": cart["id"], "shipping_address": address, "shipping_method": method["code"]}
            try:
                return checkouts.quoted(self._checkout.quote(who, body), self._locale)
            except (Refused, SiblingDown):
                # What is wrong with it is said when the order is placed; until then an estimate is honest.
                pass
        return checkouts.estimated(
            cart["total_money"], cart["subtotal"], cart["discount"], method, self._locale
        )

    def payable(self, who: Caller) -> bool:
        """Return True if the shop takes payments at all. Raises `SiblingDown`."""
        return bool(self._checkout.payment_methods(who))

    def place(self, who: Caller, cart: Json, values: Mapping[str, Any]) -> Placed | Refusal:
        """Orders the cart. What goes wrong is a `Refusal` in words, with the advice about the key; only an
        access token that was refused is raised."""
        if not cart["id"]:
            return Refusal(*checkouts.EMPTY, new_key=False, status=409)
        body = checkouts.order_body(values, str(cart["id"]))
        try:
            answer = self._checkout.place(who, body, str(values["key"]))
        except Refused as no:
            if no.status == 401:
                raise
            titles = {line["sku"]: line["title"] for line in cart["lines"]}
            return checkouts.refusal(no.status, no.problem, titles)
        except SiblingDown as down:
            return self._unplaced(who, down)
        order = answer.json
        return Placed(order["number"], order.get("access_token") or "", order["status"] == "confirmed")

    def _unplaced(self, who: Caller, down: SiblingDown) -> Refusal:
        try:
            return _unknown(down) if self.payable(who) else checkouts.NO_PAYMENTS
        except SiblingDown:
            return _unknown(down)

    def order(self, who: Caller, number: str, token: str) -> Json:
        """Raises `Refused` (404 for what is not theirs) and `SiblingDown`."""
        return orders.order(self._checkout.order(who, number, token), locale=self._locale, token=token)

    def orders(self, who: Caller, cursor: str = "") -> Json:
        answer = self._checkout.orders(who, cursor)
        return {
            "orders": [orders.summary(raw, self._locale) for raw in answer["results"]],
            "next": answer.get("next"),
        }

    def cancel(self, who: Caller, number: str, token: str) -> None:
        self._checkout.cancel(who, number, token)


def _unknown(down: SiblingDown) -> Refusal:
    """A 429 or 503 says that nothing was stored; silence says nothing. The same key serves for each."""
    if isinstance(down, Throttled):
        return checkouts.too_quick(down.retry_after)
    if down.status == 503:
        text = "Your cart is safe and nothing was charged. Please try again in a minute."
        return Refusal(checkouts.NOT_NOW, text, new_key=False, status=503, retry_after=down.retry_after)
    text = "Nothing you typed is lost. Press the button again in a minute: you cannot pay twice."
    return Refusal(checkouts.BREAK, text, new_key=False, status=503)


def new_key() -> str:
    return str(uuid.uuid4())
