"""The payment port: requests to a payment provider and its responses.

It follows Stripe's Payment Intents (https://docs.stripe.com/payments/paymentintents/lifecycle), so that
3-D Secure fits: a payment may stay ``processing`` or ``requires_action``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from .money import Money


class Outcome(StrEnum):
    """The status of a payment at the provider."""

    PROCESSING = "processing"
    REQUIRES_ACTION = "requires_action"
    PAID = "paid"
    REFUSED = "refused"
    CANCELLED = "cancelled"


@dataclass(slots=True, frozen=True)
class PaymentRequest:
    """A request to charge an amount.

    ``order_id`` is the provider's idempotency key: repeated requests make one payment.
    """

    order_id: str
    amount: Money
    method: str
    token: str


@dataclass(slots=True, frozen=True)
class Payment:
    """A payment as the provider reports it.

    ``code`` is the reason of a refusal; ``next_action`` is the URL where the shopper continues.
    """

    id: str
    outcome: Outcome
    amount: Money
    last4: str = ""
    code: str = ""
    next_action: str = ""


@dataclass(slots=True, frozen=True)
class CapturedPayment:
    """A payment in the provider's ledger, in minor units: what was captured, and refunds by their key."""

    payment_id: str
    captured: int
    refunds: dict[str, int]

    @property
    def net(self) -> int:
        """Return the captured amount less all refunds."""
        return self.captured - sum(self.refunds.values())


class ProviderDown(Exception):
    """The provider did not answer reliably: it is unknown whether anything was charged. Ask by the id."""


class NotConfigured(ProviderDown):
    """The shop has no payment provider, so nothing can be charged."""


class UnknownPayment(LookupError):
    """The provider does not know this payment, so nothing was charged."""


class RefundRefused(Exception):
    """The provider refuses the refund; ``str()`` is the reason."""


class PaymentProvider(Protocol):
    """A payment provider. All methods are idempotent and may raise ProviderDown."""

    @property
    def methods(self) -> tuple[str, ...]:
        """Return the payment methods that the provider accepts; none if nothing can be charged."""
        ...

    def accepts(self, method: str, token: str) -> bool:
        """Return True if the provider may be able to charge this method and token."""
        ...

    def id_for(self, order_id: str) -> str:
        """Return the id of the order's payment, which is stored with the order before the charge."""
        ...

    def create(self, request: PaymentRequest) -> Payment:
        """Create the payment and try to charge it, in one call."""
        ...

    def confirm(self, payment_id: str) -> Payment:
        """Try again to charge a payment whose shopper has done what was required."""
        ...

    def get(self, payment_id: str) -> Payment:
        """Return the payment. Raises UnknownPayment if it does not exist."""
        ...

    def captured_payments(self) -> Iterator[CapturedPayment]:
        """Iterate over all payments that the provider knows of this shop."""
        ...

    def cancel(self, payment_id: str) -> Payment:
        """Make sure that the payment is never charged.

        A payment that was charged already stays, and is returned as paid.
        """
        ...

    def refund(self, payment_id: str, amount: Money, key: str) -> None:
        """Refund ``amount`` once per ``key``. Raises RefundRefused if the provider refuses it."""
        ...
