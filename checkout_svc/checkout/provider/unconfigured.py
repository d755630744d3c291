"""The provider of a shop that has none configured: the shop can be browsed, but takes no orders."""

from __future__ import annotations

from collections.abc import Iterator

from ..domain import CapturedPayment, Money, NotConfigured, Payment, PaymentRequest

_WHY = "no payment provider is configured"


class UnconfiguredProvider:
    """``PaymentProvider`` that raises NotConfigured before anything is reserved."""

    methods: tuple[str, ...] = ()

    def accepts(self, method: str, token: str) -> bool:
        raise NotConfigured(_WHY)

    def id_for(self, order_id: str) -> str:
        return f"pay_{order_id}"

    def create(self, request: PaymentRequest) -> Payment:
        raise NotConfigured(_WHY)

    def confirm(self, payment_id: str) -> Payment:
        raise NotConfigured(_WHY)

    def get(self, payment_id: str) -> Payment:
        raise NotConfigured(_WHY)

    def captured_payments(self) -> Iterator[CapturedPayment]:
        """Return no payments, so that reconciliation also works without a provider."""
        return iter(())

    def cancel(self, payment_id: str) -> Payment:
        raise NotConfigured(_WHY)

    def refund(self, payment_id: str, amount: Money, key: str) -> None:
        raise NotConfigured(_WHY)
