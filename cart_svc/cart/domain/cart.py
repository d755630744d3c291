"""The cart: one document, one atomic write for whatever a shopper does to it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from cart.domain.money import Money
from cart.domain.offer import Offer

MOST_OF_EACH = 99
MOST_LINES = 100
_ANSWERS_KEPT = 50  # idempotency keys per cart
_ORDERS_KEPT = 100  # orders that were settled or let go of
_MERGES_KEPT = 100


class Refused(Exception):
    """A rule says no: `type` is the problem's slug, `detail` tells the shopper why."""

    def __init__(self, type: str, detail: str) -> None:
        super().__init__(detail)
        self.type, self.detail = type, detail


class NoSuchLine(Exception):
    """The cart does not hold this SKU there."""


class ClaimRefused(Exception):
    """An order cannot have this version of the cart: `type` is `cart-claimed` or `cart-changed`."""

    def __init__(self, type: str, detail: str) -> None:
        super().__init__(detail)
        self.type, self.detail = type, detail


def account_cart_id(account_id: str) -> str:
    """The one cart id of an account, the same for ever; it opens nothing without the account's token."""
    return "a" + hashlib.sha256(f"cart of {account_id}".encode()).hexdigest()[:39]


@dataclass(slots=True)
class Line:
    """A SKU and how many; `seen` is what the catalogue last said, `price_added` the price it was added at."""

    seen: Offer
    quantity: int
    price_added: Money

    @property
    def sku(self) -> str:
        return self.seen.sku


@dataclass(frozen=True, slots=True)
class Answer:
    """How a request with an Idempotency-Key was answered; 422 carries its problem's type and detail."""

    fingerprint: str
    status: int
    type: str = ""
    detail: str = ""


@dataclass(slots=True)
class Cart:
    """A guest's (`account_id` None) or an account's cart.

    `claims` are the orders being placed from it: order id -> version that they priced. `merged_into` is the
    account cart that took over a guest's; from then on the guest's id opens nothing.
    """

    id: str
    created_at: datetime
    updated_at: datetime
    account_id: str | None = None
    guest: bool = True
    lines: list[Line] = field(default_factory=list)
    saved: list[Line] = field(default_factory=list)
    coupon: str | None = None
    answers: dict[str, Answer] = field(default_factory=dict)
    claims: dict[str, int] = field(default_factory=dict)
    settled: list[str] = field(default_factory=list)
    released: list[str] = field(default_factory=list)
    merged_from: list[str] = field(default_factory=list)
    merged_into: str | None = None
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def for_guest(cls, id: str, at: datetime) -> Cart:
        return cls(id=id, created_at=at, updated_at=at)

    @classmethod
    def for_account(cls, account_id: str, at: datetime) -> Cart:
        return cls(
            id=account_cart_id(account_id), created_at=at, updated_at=at, account_id=account_id, guest=False
        )

    # -- looking
    @property
    def count(self) -> int:
        return sum(line.quantity for line in self.lines)

    @property
    def skus(self) -> list[str]:
        """Every SKU in it, for later ones too, each once."""
        return list(dict.fromkeys(line.sku for line in (*self.lines, *self.saved)))

    def line(self, sku: str) -> Line:
        return _find(self.lines, sku)

    def has(self, sku: str) -> bool:
        return any(line.sku == sku for line in self.lines)

    # -- what a shopper does
    def add(self, offer: Offer, quantity: int, at: datetime) -> bool:
        """True for a new line, False for a raised one. Refused beyond 99 of each and 100 lines."""
        if self.has(offer.sku):
            line = self.line(offer.sku)
            if line.quantity + quantity > MOST_OF_EACH:
                raise Refused("quantity-limit", f"At most {MOST_OF_EACH} of each; you have {line.quantity}.")
            line.quantity += quantity
            self._changed(at)
            return False
        if len(self.lines) >= MOST_LINES:
            raise Refused("cart-full", f"A cart holds at most {MOST_LINES} lines.")
        self.lines.append(Line(seen=offer, quantity=quantity, price_added=offer.price))
        self._changed(at)
        return True

    def set_quantity(self, sku: str, quantity: int, at: datetime) -> None:
        line = self.line(sku)
        if line.quantity != quantity:
            line.quantity = quantity
            self._changed(at)

    def remove(self, sku: str, at: datetime) -> None:
        self.lines.remove(self.line(sku))
        self._changed(at)

    def empty(self, at: datetime) -> None:
        """Nothing to buy any more, and no coupon; what was kept for later stays."""
        if self.lines or self.coupon:
            self.lines, self.coupon = [], None
            self._changed(at)

    def save_for_later(self, sku: str, at: datetime) -> None:
        line = self.line(sku)
        if len(self.saved) >= MOST_LINES and not _holds(self.saved, sku):
            raise Refused("saved-full", f"At most {MOST_LINES} things are kept for later.")
        self.lines.remove(line)
        _put(self.saved, line)
        self._changed(at)

    def restore(self, sku: str, at: datetime) -> None:
        line = _find(self.saved, sku)
        if len(self.lines) >= MOST_LINES and not self.has(sku):
            raise Refused("cart-full", f"A cart holds at most {MOST_LINES} lines.")
        self.saved.remove(line)
        _put(self.lines, line)
        self._changed(at)

    def set_coupon(self, code: str | None, at: datetime) -> None:
        if self.coupon != code:
            self.coupon = code
            self._changed(at)

    # -- a guest who signs in
    def hand_over(self, account_cart: str, at: datetime) -> bool:
        """Close a guest's cart for an account's; whether that account may have it. Nothing is added later."""
        if not self.guest or self.merged_into not in (None, account_cart):
            return False
        if self.merged_into is None:
            self.merged_into = account_cart
            self._changed(at)
        return True

    def merge(self, guest: Cart, at: datetime) -> None:
        """Take over what a guest collected, once.

        Quantities add up to the limit; what finds no line is kept for later.
        """
        if guest.id in self.merged_from:
            return
        for line in guest.lines:
            room = self.has(line.sku) or len(self.lines) < MOST_LINES
            _put(self.lines if room else self.saved, replace(line))
        for line in guest.saved:
            _put(self.saved, replace(line))
        self.coupon = self.coupon or guest.coupon
        self.merged_from = [*self.merged_from, guest.id][-_MERGES_KEPT:]
        self._changed(at)

    def forget_content(self, at: datetime) -> None:
        """What was merged is elsewhere now."""
        if self.lines or self.saved:
            self.lines, self.saved, self.coupon = [], [], None
            self._changed(at)

    # -- orders
    def claim(self, order_id: str, version: int) -> None:
        """An order takes this version, repeatably; ClaimRefused when another live one holds it, or the cart
        is not what was priced. It moves no version: the same content can be claimed again afterwards.
        """
        if self.claims.get(order_id) == version or _order(order_id) in self.settled:
            return
        if order_id in self.released:
            raise ClaimRefused("cart-claimed", "This order let go of the cart before.")
        if version in self.claims.values():
            raise ClaimRefused("cart-claimed", "Another order of this cart is being placed.")
        if version != self.version:
            raise ClaimRefused("cart-changed", "The cart has changed since the order was priced.")
        self.claims[order_id] = version

    def unclaim(self, order_id: str) -> None:
        """The order came to nothing: the same version may be ordered again, not by it."""
        self.claims.pop(order_id, None)
        if order_id not in self.released and _order(order_id) not in self.settled:
            self.released = [*self.released, order_id][-_ORDERS_KEPT:]

    def settle(self, order_id: str, ordered: Mapping[str, int], at: datetime) -> bool:
        """Take out what was ordered, and no more than that, once per order; whether it was the first time."""
        self.claims.pop(order_id, None)
        if _order(order_id) in self.settled:
            return False
        self.settled = [*self.settled, _order(order_id)][-_ORDERS_KEPT:]
        for line in self.lines:
            line.quantity -= ordered.get(line.sku, 0)
        self.lines = [line for line in self.lines if line.quantity > 0]
        self.coupon = None
        self._changed(at)
        return True

    # -- what a request was answered, and what the catalogue said
    def remember_answer(self, key: str, answer: Answer) -> None:
        """Kept in the write that the answer tells of; the oldest go."""
        self.answers[key] = answer
        for old in list(self.answers)[:-_ANSWERS_KEPT]:
            del self.answers[old]

    def look(self, offers: Mapping[str, Offer]) -> bool:
        """Remember what the catalogue says now, for when it is away; whether that is news."""
        news = False
        for line in (*self.lines, *self.saved):
            offer = offers.get(line.sku)
            if offer is not None and offer != line.seen:
                line.seen, news = offer, True
        return news

    def _changed(self, at: datetime) -> None:
        self.version += 1
        self.updated_at = at


def _order(order_id: str) -> str:
    """An order holds under `<number>`, placed again under `<number>.2`; it buys once all the same."""
    return order_id.partition(".")[0]


def _holds(lines: Iterable[Line], sku: str) -> bool:
    return any(line.sku == sku for line in lines)


def _find(lines: Iterable[Line], sku: str) -> Line:
    for line in lines:
        if line.sku == sku:
            return line
    raise NoSuchLine(sku)


def _put(lines: list[Line], line: Line) -> None:
    """Into these lines, on top of what is there up to the limit."""
    if _holds(lines, line.sku):
        mine = _find(lines, line.sku)
        mine.quantity = min(MOST_OF_EACH, mine.quantity + line.quantity)
    else:
        lines.append(line)
