"""The projection of catalogue events: which products are on sale."""

from __future__ import annotations

from collections.abc import Callable

from chassis.couch import Repository
from chassis.messaging import Envelope
from reco.domain import Product


class ProductProjection:
    def __init__(self, *, products: Repository[Product]) -> None:
        self._products = products

    def product_changed(self, envelope: Envelope) -> str:
        data = envelope.data
        return self._apply(data["product_id"], "product", envelope, lambda p: p.describe(data))

    def product_deleted(self, envelope: Envelope) -> str:
        return self._apply(envelope.data["product_id"], "product", envelope, lambda p: p.withdraw())

    def availability_changed(self, envelope: Envelope) -> str:
        data = envelope.data
        subject = f"sku:{data['sku']}"
        return self._apply(
            data["product_id"],
            subject,
            envelope,
            lambda p: p.set_availability(data["sku"], data["availability"]),
        )

    def _apply(
        self, product_id: str, subject: str, envelope: Envelope, change: Callable[[Product], None]
    ) -> str:
        is_new = False

        def apply(product: Product) -> None:
            nonlocal is_new
            is_new = product.accept(subject, envelope.seq)
            if is_new:
                change(product)

        self._products.update(product_id, apply, create=lambda: Product(id=product_id))
        return "done" if is_new else "duplicate"
