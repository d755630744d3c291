"""The sandbox provider's ledger: one document per payment, in a database that the saga never touches."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..domain import Money, Outcome, RefundRefused


@dataclass(slots=True)
class LedgerEntry:
    """A payment at the provider.

    ``captured`` is in minor units; ``refunds`` maps an idempotency key to the refunded minor units.
    ``settles_at`` is when a payment that is still processing becomes paid.
    """

    id: str
    order_id: str
    amount: Money
    token: str
    outcome: Outcome
    at: datetime
    captured: int = 0
    refunds: dict[str, int] = field(default_factory=dict)
    code: str = ""
    last4: str = ""
    settles_at: datetime | None = None
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def pay(self) -> None:
        self.outcome, self.captured, self.code, self.settles_at = Outcome.PAID, self.amount.amount, "", None
        self.version += 1

    def refuse(self, code: str) -> None:
        self.outcome, self.code = Outcome.REFUSED, code
        self.version += 1

    def complete_if_due(self, now: datetime) -> bool:
        """Mark a processing payment as paid if it is due; return True if it changed."""
        if self.outcome is not Outcome.PROCESSING or not self.settles_at or now < self.settles_at:
            return False
        self.pay()
        return True

    def cancel(self) -> bool:
        """Cancel the payment if it waits for the shopper; return True if it changed."""
        if self.outcome is not Outcome.REQUIRES_ACTION:
            return False
        self.outcome = Outcome.CANCELLED
        self.version += 1
        return True

    def refund(self, amount: Money, key: str) -> bool:
        """Refund once per key; return True if the entry changed.

        Raises RefundRefused if less than ``amount`` is left.
        """
        if key in self.refunds:
            return False
        if amount.amount > self.captured - sum(self.refunds.values()):
            raise RefundRefused("more than was captured and is not refunded yet")
        self.refunds[key] = amount.amount
        self.version += 1
        return True
