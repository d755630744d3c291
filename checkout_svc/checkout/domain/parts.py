"""The pieces that an order is made of."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from .money import Money
from .payment import Outcome

_NOTHING = Money(0)
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class OrderStatus(StrEnum):
    PENDING = "pending"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"


class PaymentStatus(StrEnum):
    PENDING = "pending"
    PROCESSING = "processing"
    REQUIRES_ACTION = "requires_action"
    PAID = "paid"
    REFUSED = "refused"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"


class FulfilmentStatus(StrEnum):
    UNFULFILLED = "unfulfilled"
    PARTIALLY_SHIPPED = "partially_shipped"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    RETURNED = "returned"


class Step(StrEnum):
    """What an order waits for; ``Order.next_step`` derives it from the order alone."""

    UNDO = "undo"
    PAY = "pay"
    FINISH = "finish"
    CANCEL = "cancel"
    REFUND = "refund"
    MAIL = "mail"


@dataclass(slots=True, frozen=True)
class CartRef:
    """The cart that is bought, in exactly the version that was priced."""

    id: str
    version: int


@dataclass(slots=True)
class PaymentState:
    """``id`` is the provider's; ``token`` stands for the shopper's card and holds no card data."""

    id: str
    method: str
    token: str
    status: PaymentStatus = PaymentStatus.PENDING
    last4: str = ""
    code: str = ""
    next_action: str = ""


@dataclass(slots=True, frozen=True)
class Happening:
    """A line of the timeline that shopper and staff see."""

    at: datetime
    what: str


@dataclass(slots=True, frozen=True)
class Shipment:
    """A parcel: quantities by SKU."""

    id: str
    at: datetime
    carrier: str
    tracking: str
    lines: dict[str, int]
    fingerprint: str = ""


@dataclass(slots=True, frozen=True)
class RefundLine:
    """A line's part of a refund. ``quantity`` is 0 where an amount was asked for and not units."""

    sku: str
    quantity: int
    amount: Money
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, frozen=True)
class Refund:
    """Money on its way back: ``amount`` is what ``lines`` and ``shipping`` add up to.

    ``id`` is the provider's key for it. ``done_at`` is empty until the provider has agreed, ``failure`` says
    why it did not.
    """

    id: str
    at: datetime
    amount: Money
    reason: str
    fingerprint: str = ""
    done_at: datetime | None = None
    failure: str = ""
    lines: tuple[RefundLine, ...] = ()
    shipping: Money = _NOTHING
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Return True until the provider's answer is known."""
        return self.done_at is None and not self.failure


@dataclass(slots=True, frozen=True)
class Answer:
    """What ``POST /orders`` was answered, so that the same key gets the same again.

    The order as it looked then is not copied: it can be derived, see ``Order.as_answered``.
    """

    status: int
    problem: str = ""
    detail: str = ""
    members: dict[str, Any] = field(default_factory=dict)
    order_status: OrderStatus = OrderStatus.PENDING
    payment_status: PaymentStatus = PaymentStatus.PENDING
    happenings: int = 0


@dataclass(slots=True, frozen=True)
class Lease:
    """Who works on the order just now. It saves work; what keeps it right is the compare-and-set of every
    save."""

    by: str
    until: datetime


class NotAllowed(Exception):
    """A transition that the order's state forbids. ``type`` is the problem's slug, ``str()`` the detail;
    ``members`` go into the answer beside them."""

    def __init__(self, type: str, detail: str, **members: Any):
        super().__init__(detail)
        self.type, self.members = type, members


_STATUS = {
    Outcome.PROCESSING: PaymentStatus.PROCESSING,
    Outcome.REQUIRES_ACTION: PaymentStatus.REQUIRES_ACTION,
    Outcome.PAID: PaymentStatus.PAID,
    Outcome.REFUSED: PaymentStatus.REFUSED,
    Outcome.CANCELLED: PaymentStatus.REFUSED,
}


def payment_status(outcome: Outcome) -> PaymentStatus:
    """The order's word for where its payment stands."""
    return _STATUS[outcome]


def order_number(scope: str, key: str) -> str:
    """The number, and id, of the one order that this customer can make under it: 60 bits of a SHA-256."""
    bits = int.from_bytes(hashlib.sha256(f"{scope}|{key}".encode()).digest(), "big") >> (256 - 60)
    return "HM-" + "".join(_CROCKFORD[(bits >> shift) & 31] for shift in range(55, -1, -5))
