"""JSON representations of documents, for staff and other services.

Shoppers get representations stored in the index, made by the same code.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings

from catalog import container
from catalog.domain import Category, Image, Product, Review, Stock
from catalog.readmodel import index_documents
from catalog.readmodel.index_documents import Context
from catalog.services.products import Sellable
from chassis.api.json import rfc3339


def product(value: Product) -> dict[str, Any]:
    """Return the product page of docs/api.md, made from documents."""
    found = container.dependencies().products
    return index_documents.build_page(
        value, Context(found.tree(), found.availability(value), {}, settings.MEDIA_URL)
    )


def category(value: Category) -> dict[str, Any]:
    return {"slug": value.slug, "title": value.title, "parent": value.parent, "position": value.position}


def stock(value: Stock) -> dict[str, Any]:
    """Return the exact numbers, for staff only."""
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
        "renditions": [
            index_documents.serialize_rendition(rendition, settings.MEDIA_URL)
            for rendition in value.renditions
        ],
    }


def sellable(value: Sellable) -> dict[str, Any]:
    """Return one line of `GET /internal/skus`."""
    return {
        "sku": value.variant.sku,
        "product_id": value.product.id,
        "slug": value.product.slug,
        "title": value.product.title,
        "attributes": value.variant.attributes,
        "image": index_documents.serialize_image(
            index_documents.first_image(value.product), settings.MEDIA_URL
        ),
        "price": index_documents.serialize_money(value.variant.price),
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
