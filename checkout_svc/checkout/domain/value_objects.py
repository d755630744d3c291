"""The value objects and enums of an order."""

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
    """The next step of an order; ``Order.next_step`` derives it from the order alone."""

    COMPENSATE = "compensate"
    PAY = "pay"
    FINISH = "finish"
    CANCEL = "cancel"
    REFUND = "refund"
    MAIL = "mail"


@dataclass(slots=True, frozen=True)
class CartRef:
    """The cart of an order, in the version that was priced."""

    id: str
    version: int


@dataclass(slots=True)
class PaymentState:
    """The payment of an order.

    ``id`` is the provider's; ``token`` stands for the shopper's card and holds no card data.
    """

    id: str
    method: str
    token: str
    status: PaymentStatus = PaymentStatus.PENDING
    last4: str = ""
    code: str = ""
    next_action: str = ""


@dataclass(slots=True, frozen=True)
class TimelineEntry:
    """An entry of the timeline that shoppers and staff see."""

    at: datetime
    what: str


@dataclass(slots=True, frozen=True)
class Shipment:
    """A parcel; ``lines`` maps a SKU to its quantity."""

    id: str
    at: datetime
    carrier: str
    tracking: str
    lines: dict[str, int]
    fingerprint: str = ""


@dataclass(slots=True, frozen=True)
class RefundLine:
    """A line's part of a refund; ``quantity`` is 0 if an amount was refunded and not units."""

    sku: str
    quantity: int
    amount: Money
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, frozen=True)
class Refund:
    """A refund; ``amount`` is the sum of ``lines`` and ``shipping``.

    ``id`` is the provider's idempotency key. ``done_at`` is None until the provider has agreed;
    ``failure`` is the reason if it refused.
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
class StoredResponse:
    """The response to ``POST /orders``, stored so that the same idempotency key gets it again.

    The order of that moment is not copied: ``Order.as_answered`` derives it.
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
    """The worker that processes the order, and until when.

    A lease saves duplicate work; correctness comes from the compare-and-set of every save.
    """

    by: str
    until: datetime


class NotAllowed(Exception):
    """Raised for a transition that the order's state forbids.

    ``type`` is the slug of the problem, ``str()`` its detail; ``members`` are added to the problem.
    """

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
    """Return the payment status of an order whose payment has this outcome."""
    return _STATUS[outcome]


def order_number(scope: str, key: str) -> str:
    """Return the order number for a customer's scope and idempotency key: 60 bits of a SHA-256."""
    bits = int.from_bytes(hashlib.sha256(f"{scope}|{key}".encode()).digest(), "big") >> (256 - 60)
    return "HM-" + "".join(_CROCKFORD[(bits >> shift) & 31] for shift in range(55, -1, -5))
