"""Events of the catalogue, appended to the aggregate in the write that makes them true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from catalog.domain import Availability, Product, Stock
from chassis.messaging import append_event

SOURCE = "catalog"


@dataclass(frozen=True)
class Actor:
    """Member of staff who makes a change, for the audit trail."""

    id: str
    name: str = ""


def append_product_changed(
    product: Product, category_path: Sequence[str], availability: Mapping[str, Availability], at: datetime
) -> None:
    """Append `product.changed`.

    `category_path` are the slugs from the top down to the product's category.
    """
    cheapest = product.cheapest.price
    data = {
        "product_id": product.id,
        "slug": product.slug,
        "title": product.title,
        "brand": product.brand,
        "category": product.category,
        "categories": list(category_path),
        "status": str(product.status),
        "price_from": {"amount": cheapest.amount, "currency": cheapest.currency},
        "skus": {sku: str(availability.get(sku, Availability.OUT)) for sku in product.skus},
    }
    append_event(product, type="product.changed", source=SOURCE, subject=product.id, data=data, at=at)


def append_product_deleted(product: Product, at: datetime) -> None:
    data = {"product_id": product.id}
    append_event(product, type="product.deleted", source=SOURCE, subject=product.id, data=data, at=at)


def append_availability_changed(stock: Stock, at: datetime) -> None:
    data = {"sku": stock.sku, "product_id": stock.product_id, "availability": str(stock.availability)}
    append_event(stock, type="availability.changed", source=SOURCE, subject=stock.sku, data=data, at=at)


def append_audit(
    entity: Any, actor: Actor | None, action: str, kind: str, name: str, message: str, at: datetime
) -> None:
    """Append an audit entry; without an actor (a seed, a worker) there is none."""
    if actor is None:
        return
    data = {
        "actor": actor.id,
        "actor_name": actor.name,
        "action": action,
        "service": SOURCE,
        "object_type": kind,
        "object_id": entity.id,
        "object_repr": name,
        "message": message,
        "at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    append_event(entity, type="audit.recorded", source=SOURCE, subject=entity.id, data=data, at=at)
