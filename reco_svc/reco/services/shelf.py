"""What is for sale, as the catalogue's facts tell it."""

from __future__ import annotations

from collections.abc import Callable

from chassis.couch import Repository
from chassis.messaging import Envelope
from reco.domain import Product


class Shelf:
    def __init__(self, *, products: Repository[Product]) -> None:
        self._products = products

    def product_changed(self, envelope: Envelope) -> str:
        data = envelope.data
        return self._hear(data["product_id"], "product", envelope, lambda p: p.describe(data))

    def product_deleted(self, envelope: Envelope) -> str:
        return self._hear(envelope.data["product_id"], "product", envelope, lambda p: p.withdraw())

    def availability_changed(self, envelope: Envelope) -> str:
        data = envelope.data
        subject = f"sku:{data['sku']}"
        return self._hear(
            data["product_id"], subject, envelope, lambda p: p.stock(data["sku"], data["availability"])
        )

    def _hear(
        self, product_id: str, subject: str, envelope: Envelope, change: Callable[[Product], None]
    ) -> str:
        news = False

        def apply(product: Product) -> None:
            nonlocal news
            news = product.hear(subject, envelope.seq)
            if news:
                change(product)

        self._products.update(product_id, apply, create=lambda: Product(id=product_id))
        return "done" if news else "duplicate"
