"""Documents as answers, for staff and siblings. Shoppers' answers are stored in the index, made by the
same code.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings

from catalog import wiring
from catalog.domain import Category, Image, Product, Review, Stock
from catalog.readmodel import documents
from catalog.readmodel.documents import Context
from catalog.services.products import Sellable
from chassis.api.json import rfc3339


def product(value: Product) -> dict[str, Any]:
    """The page of api.md, from documents."""
    found = wiring.parts().products
    return documents.page(value, Context(found.tree(), found.availability(value), {}, settings.MEDIA_URL))


def category(value: Category) -> dict[str, Any]:
    return {"slug": value.slug, "title": value.title, "parent": value.parent, "position": value.position}


def stock(value: Stock) -> dict[str, Any]:
    """Exact numbers: for staff only."""
    return {
        "sku": value.sku,
        "on_hand": value.on_hand,
        "reserved": value.reserved,
        "available": value.available,
        "availability": str(value.availability),
    }


def image(value: Image) -> dict[str, Any]:
    return {
        "id": value.id,
        "product_id": value.product_id,
        "alt": value.alt,
        "status": str(value.status),
        "reason": value.reason or None,
        "renditions": [documents.rendition(rendition, settings.MEDIA_URL) for rendition in value.renditions],
    }


def sellable(value: Sellable) -> dict[str, Any]:
    """A line of `GET /internal/skus`."""
    return {
        "sku": value.variant.sku,
        "product_id": value.product.id,
        "slug": value.product.slug,
        "title": value.product.title,
        "attributes": value.variant.attributes,
        "image": documents.image(documents.first_image(value.product), settings.MEDIA_URL),
        "price": documents.money(value.variant.price),
        "availability": str(value.availability),
        "tax_class": value.variant.tax_class,
        "weight": value.variant.weight,
    }


def review(value: Review) -> dict[str, Any]:
    return {
        "rating": value.rating,
        "title": value.title,
        "body": value.body,
        "author": value.author,
        "verified_purchase": value.verified_purchase,
        "created_at": rfc3339(value.at),
    }
