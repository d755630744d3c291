"""The place of a payment provider that nobody has configured: the shop browses, and takes no order."""

from __future__ import annotations

from collections.abc import Iterator

from ..domain import Booked, Money, NotConfigured, Payment, PaymentRequest

_WHY = "no payment provider is configured"


class NoProvider:
    """``PaymentProvider`` that charges nobody: it raises NotConfigured before anything is reserved."""

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

    def books(self) -> Iterator[Booked]:
        """It knows of no payment, so that a shop that only browses can be reconciled after a restore."""
        return iter(())

    def cancel(self, payment_id: str) -> Payment:
        raise NotConfigured(_WHY)

    def refund(self, payment_id: str, amount: Money, key: str) -> None:
        raise NotConfigured(_WHY)
