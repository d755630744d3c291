"""The cart aggregate: one document, and one atomic write per change."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from cart.domain.money import Money
from cart.domain.offer import Offer

MAX_QUANTITY = 99
MAX_LINES = 100
_MAX_STORED_RESPONSES = 50  # idempotency keys per cart
_MAX_ORDERS = 100  # orders that were settled or released
_MAX_MERGES = 100


class RuleViolation(Exception):
    """A business rule refuses the request.

    `type` is the slug of the problem; `detail` tells the shopper why.
    """

    def __init__(self, type: str, detail: str) -> None:
        super().__init__(detail)
        self.type, self.detail = type, detail


class LineNotFound(Exception):
    """The cart has no line with this SKU."""


class ClaimRefused(Exception):
    """An order cannot claim this version of the cart: `type` is `cart-claimed` or `cart-changed`."""

    def __init__(self, type: str, detail: str) -> None:
        super().__init__(detail)
        self.type, self.detail = type, detail


def account_cart_id(account_id: str) -> str:
    """Return the permanent cart id of an account; it gives no access without the account's token."""
    return "a" + hashlib.sha256(f"cart of {account_id}".encode()).hexdigest()[:39]


@dataclass(slots=True)
class Line:
    """A SKU and its quantity.

    `seen` is the last offer read from the catalogue, `price_added` the price when it was added.
    """

    seen: Offer
    quantity: int
    price_added: Money

    @property
    def sku(self) -> str:
        return self.seen.sku


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """The result of a request with an Idempotency-Key; a 422 has its problem's type and detail."""

    fingerprint: str
    status: int
    type: str = ""
    detail: str = ""


@dataclass(slots=True)
class Cart:
    """A guest's cart (`account_id` is None) or an account's.

    `claims` are the orders being placed from it: order id -> version that they priced. `merged_into` is the
    account cart that took over a guest's; from then on the guest's id gives no access. `answers` are stored
    responses by the hash of their Idempotency-Key; `settled` are the orders whose lines were removed.
    """

    id: str
    created_at: datetime
    updated_at: datetime
    account_id: str | None = None
    guest: bool = True
    lines: list[Line] = field(default_factory=list)
    saved: list[Line] = field(default_factory=list)
    coupon: str | None = None
    answers: dict[str, StoredResponse] = field(default_factory=dict)
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

    # -- reading
    @property
    def count(self) -> int:
        """Return the number of units."""
        return sum(line.quantity for line in self.lines)

    @property
    def skus(self) -> list[str]:
        """Return every SKU of lines and saved lines, each once."""
        return list(dict.fromkeys(line.sku for line in (*self.lines, *self.saved)))

    def line(self, sku: str) -> Line:
        return _find(self.lines, sku)

    def has(self, sku: str) -> bool:
        return any(line.sku == sku for line in self.lines)

    # -- changes by the shopper
    def add(self, offer: Offer, quantity: int, at: datetime) -> bool:
        """Add units; return True for a new line. Raises RuleViolation beyond 99 of each or 100 lines."""
        if self.has(offer.sku):
            line = self.line(offer.sku)
            if line.quantity + quantity > MAX_QUANTITY:
                raise RuleViolation(
                    "quantity-limit", f"At most {MAX_QUANTITY} of each; you have {line.quantity}."
                )
            line.quantity += quantity
            self._changed(at)
            return False
        if len(self.lines) >= MAX_LINES:
            raise RuleViolation("cart-full", f"A cart holds at most {MAX_LINES} lines.")
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
        """Remove all lines and the coupon; saved lines stay."""
        if self.lines or self.coupon:
            self.lines, self.coupon = [], None
            self._changed(at)

    def save_for_later(self, sku: str, at: datetime) -> None:
        line = self.line(sku)
        if len(self.saved) >= MAX_LINES and not _contains(self.saved, sku):
            raise RuleViolation("saved-full", f"At most {MAX_LINES} things are kept for later.")
        self.lines.remove(line)
        _add_to(self.saved, line)
        self._changed(at)

    def restore(self, sku: str, at: datetime) -> None:
        line = _find(self.saved, sku)
        if len(self.lines) >= MAX_LINES and not self.has(sku):
            raise RuleViolation("cart-full", f"A cart holds at most {MAX_LINES} lines.")
        self.saved.remove(line)
        _add_to(self.lines, line)
        self._changed(at)

    def set_coupon(self, code: str | None, at: datetime) -> None:
        if self.coupon != code:
            self.coupon = code
            self._changed(at)

    # -- merging at sign-in
    def close_for_merge(self, account_cart: str, at: datetime) -> bool:
        """Close a guest's cart so that an account's cart can take it over.

        Returns False if it is not a guest's cart or another account has it. A closed cart accepts no lines.
        """
        if not self.guest or self.merged_into not in (None, account_cart):
            return False
        if self.merged_into is None:
            self.merged_into = account_cart
            self._changed(at)
        return True

    def merge(self, guest: Cart, at: datetime) -> None:
        """Take over the content of a guest's cart, once.

        Quantities add up to the limit; lines that do not fit are saved for later.
        """
        if guest.id in self.merged_from:
            return
        for line in guest.lines:
            room = self.has(line.sku) or len(self.lines) < MAX_LINES
            _add_to(self.lines if room else self.saved, replace(line))
        for line in guest.saved:
            _add_to(self.saved, replace(line))
        self.coupon = self.coupon or guest.coupon
        self.merged_from = [*self.merged_from, guest.id][-_MAX_MERGES:]
        self._changed(at)

    def clear_merged(self, at: datetime) -> None:
        """Remove the content of a guest's cart after the merge."""
        if self.lines or self.saved:
            self.lines, self.saved, self.coupon = [], [], None
            self._changed(at)

    # -- orders
    def claim(self, order_id: str, version: int) -> None:
        """Claim this version for an order; idempotent.

        Raises ClaimRefused if another live order holds it, or if the cart is not what was priced. It does not
        change the version: the same content can be claimed again afterwards.
        """
        if self.claims.get(order_id) == version or _order_number(order_id) in self.settled:
            return
        if order_id in self.released:
            raise ClaimRefused("cart-claimed", "This order let go of the cart before.")
        if version in self.claims.values():
            raise ClaimRefused("cart-claimed", "Another order of this cart is being placed.")
        if version != self.version:
            raise ClaimRefused("cart-changed", "The cart has changed since the order was priced.")
        self.claims[order_id] = version

    def unclaim(self, order_id: str) -> None:
        """Release the claim of an order that failed; only other orders may claim this version again."""
        self.claims.pop(order_id, None)
        if order_id not in self.released and _order_number(order_id) not in self.settled:
            self.released = [*self.released, order_id][-_MAX_ORDERS:]

    def remove_ordered(self, order_id: str, ordered: Mapping[str, int], at: datetime) -> bool:
        """Remove the ordered units, once per order; return True the first time."""
        self.claims.pop(order_id, None)
        if _order_number(order_id) in self.settled:
            return False
        self.settled = [*self.settled, _order_number(order_id)][-_MAX_ORDERS:]
        for line in self.lines:
            line.quantity -= ordered.get(line.sku, 0)
        self.lines = [line for line in self.lines if line.quantity > 0]
        self.coupon = None
        self._changed(at)
        return True

    # -- stored responses and offers
    def store_response(self, key: str, answer: StoredResponse) -> None:
        """Store the response with the change that it describes, and drop the oldest ones."""
        self.answers[key] = answer
        for old in list(self.answers)[:-_MAX_STORED_RESPONSES]:
            del self.answers[old]

    def refresh_offers(self, offers: Mapping[str, Offer]) -> bool:
        """Store the catalogue's offers for times when it is unavailable; return True if any changed."""
        changed = False
        for line in (*self.lines, *self.saved):
            offer = offers.get(line.sku)
            if offer is not None and offer != line.seen:
                line.seen, changed = offer, True
        return changed

    def _changed(self, at: datetime) -> None:
        self.version += 1
        self.updated_at = at


def _order_number(order_id: str) -> str:
    """Return the order number of a hold id: a restarted order `<number>.2` still buys only once."""
    return order_id.partition(".")[0]


def _contains(lines: Iterable[Line], sku: str) -> bool:
    return any(line.sku == sku for line in lines)


def _find(lines: Iterable[Line], sku: str) -> Line:
    for line in lines:
        if line.sku == sku:
            return line
    raise LineNotFound(sku)


def _add_to(lines: list[Line], line: Line) -> None:
    """Add the line to `lines`, or its quantity to the line of the same SKU, up to the limit."""
    if _contains(lines, line.sku):
        mine = _find(lines, line.sku)
        mine.quantity = min(MAX_QUANTITY, mine.quantity + line.quantity)
    else:
        lines.append(line)
