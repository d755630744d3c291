"""The payment port: what checkout asks of a provider, and what a provider answers.

It has the shape of Stripe's Payment Intents (https://docs.stripe.com/payments/paymentintents/lifecycle), so
that
3-D Secure fits: a payment may stay ``processing`` or ``requires_action``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from .money import Money


class Outcome(StrEnum):
    """Where a payment stands at the provider."""

    PROCESSING = "processing"
    REQUIRES_ACTION = "requires_action"
    PAID = "paid"
    REFUSED = "refused"
    CANCELLED = "cancelled"


@dataclass(slots=True, frozen=True)
class PaymentRequest:
    """What to charge. ``order_id`` is the provider's idempotency key: one payment for it, however often it is
    asked."""

    order_id: str
    amount: Money
    method: str
    token: str


@dataclass(slots=True, frozen=True)
class Payment:
    """The provider's answer. ``code`` says why a payment was refused, ``next_action`` where the shopper goes
    on."""

    id: str
    outcome: Outcome
    amount: Money
    last4: str = ""
    code: str = ""
    next_action: str = ""


@dataclass(slots=True, frozen=True)
class Booked:
    """A payment in the provider's books, minor units: what was captured, and what went back by its key."""

    payment_id: str
    captured: int
    refunds: dict[str, int]

    @property
    def kept(self) -> int:
        return self.captured - sum(self.refunds.values())


class ProviderDown(Exception):
    """No answer, or not one that can be believed: whether anything was charged is unknown. Ask by the id."""


class NotConfigured(ProviderDown):
    """The shop has no payment provider: nothing can be charged until staff configure one."""


class UnknownPayment(LookupError):
    """The provider has never heard of this payment: nothing was charged."""


class RefundRefused(Exception):
    """The provider will not give this money back; ``str()`` says why."""


class PaymentProvider(Protocol):
    """All may be repeated at will; all may raise ProviderDown."""

    @property
    def methods(self) -> tuple[str, ...]:
        """The ways to pay that it takes; none where nothing can be charged."""
        ...

    def accepts(self, method: str, token: str) -> bool:
        """Whether this looks like something that can be charged at all."""
        ...

    def id_for(self, order_id: str) -> str:
        """The id that the payment of this order will have: it is stored with the order before anything is
        charged."""
        ...

    def create(self, request: PaymentRequest) -> Payment:
        """Make the payment and try to charge it, in one call."""
        ...

    def confirm(self, payment_id: str) -> Payment:
        """Try again to charge a payment whose shopper has done what was required."""
        ...

    def get(self, payment_id: str) -> Payment:
        """How it stands; UnknownPayment when it was never made."""
        ...

    def books(self) -> Iterator[Booked]:
        """Every payment that the provider knows of this shop."""
        ...

    def cancel(self, payment_id: str) -> Payment:
        """Make sure that it is never charged; a payment that was charged already stays and is answered as
        paid."""
        ...

    def refund(self, payment_id: str, amount: Money, key: str) -> None:
        """Give ``amount`` back once per ``key``; RefundRefused when it cannot."""
        ...
