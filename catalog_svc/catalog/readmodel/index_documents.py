"""Index documents of a product: its card, its page, and the fields by which both are found."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import tantivy

from catalog.domain import (
    Availability,
    Category,
    CategoryTree,
    Money,
    Product,
    ProductImage,
    Rating,
    Rendition,
    Variant,
    best_availability,
)
from catalog.readmodel.schema import SORT_FIELDS

#: Separates an attribute's name from its value in the field `attr`.
ATTR_SEPARATOR = "\x1f"
_TIE_BITS = 32
_MAX_SORT_VALUE = 2**31 - 1


def dumps(value: Any) -> bytes:
    """Return compact UTF-8 JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Context:
    """Data that a product's card and page need besides its document."""

    tree: CategoryTree
    availability: Mapping[str, Availability]
    popularity: Mapping[str, int]
    media_url: str

    def availability_of_sku(self, sku: str) -> Availability:
        return self.availability.get(sku, Availability.OUT)


def serialize_money(value: Money | None) -> dict[str, Any] | None:
    return None if value is None else {"amount": value.amount, "currency": value.currency}


def serialize_rating(value: Rating) -> dict[str, Any]:
    return {"average": value.average, "count": value.count}


def serialize_image(value: ProductImage | None, media_url: str) -> dict[str, Any] | None:
    """Return `{id, alt, renditions: [{url, width, height, format}]}`, small renditions first."""
    if value is None:
        return None
    return {
        "id": value.id,
        "alt": value.alt,
        "renditions": [serialize_rendition(r, media_url) for r in value.renditions],
    }


def serialize_rendition(value: Rendition, media_url: str) -> dict[str, Any]:
    url = f"{media_url}{value.name}"
    return {"url": url, "width": value.width, "height": value.height, "format": value.format}


def first_image(product: Product) -> ProductImage | None:
    return product.images[0] if product.images else None


def build_card(product: Product, context: Context) -> dict[str, Any]:
    """Return the `card` of docs/api.md; its prices are those of the cheapest variant."""
    cheapest = product.cheapest
    made = {
        "id": product.id,
        "slug": product.slug,
        "title": product.title,
        "brand": product.brand,
        "category": product.category,
        "image": serialize_image(first_image(product), context.media_url),
        "price_from": serialize_money(cheapest.price),
        "compare_at_price": serialize_money(cheapest.original_price),
        "availability": str(best_availability(context.availability_of_sku(sku) for sku in product.skus)),
        "rating": serialize_rating(product.rating),
    }
    if len(product.variants) == 1:
        made["sku"] = cheapest.sku
    return made


def build_page(product: Product, context: Context) -> dict[str, Any]:
    """Return the body of `GET /products/{slug}`."""
    return {
        "id": product.id,
        "slug": product.slug,
        "title": product.title,
        "description": product.description,
        "brand": product.brand,
        "category": product.category,
        "breadcrumbs": [{"slug": c.id, "title": c.title} for c in context.tree.path(product.category)],
        "variants": [serialize_variant(v, context) for v in product.variants],
        "images": [serialize_image(i, context.media_url) for i in product.images],
        "rating": serialize_rating(product.rating),
        "price_from": serialize_money(product.cheapest.price),
        "availability": str(best_availability(context.availability_of_sku(sku) for sku in product.skus)),
        "status": str(product.status),
    }


def serialize_variant(value: Variant, context: Context) -> dict[str, Any]:
    return {
        "sku": value.sku,
        "attributes": value.attributes,
        "price": serialize_money(value.price),
        "compare_at_price": serialize_money(value.original_price),
        "availability": str(context.availability_of_sku(value.sku)),
    }


def tie_breaker(product_id: str) -> int:
    """Return a number that orders products with equal sort values, the same in every index.

    Two products with the same sort value and the same number (1 in 4 billion) would hide one of them behind
    a page's end.
    """
    return int.from_bytes(hashlib.blake2b(product_id.encode(), digest_size=4).digest())


def build_sort_keys(product: Product, popularity: int) -> dict[str, int]:
    """Return one ascending integer per order: the sort value, then the tie breaker.

    The value is inverted where the largest comes first.
    """
    price = min(product.cheapest.price.amount, _MAX_SORT_VALUE)
    newest = 2**32 - 1 - (int(product.created_at.timestamp()) if product.created_at else 0)
    stars = int((product.rating.average or 0) * 10) * 1_000_000 + min(product.rating.count, 999_999)
    values = {
        "price": price,
        "-price": _MAX_SORT_VALUE - price,
        "newest": newest,
        "rating": _MAX_SORT_VALUE - stars,
        "popular": _MAX_SORT_VALUE - min(popularity, _MAX_SORT_VALUE),
    }
    last = tie_breaker(product.id)
    return {SORT_FIELDS[name]: value << _TIE_BITS | last for name, value in values.items()}


def build_product_entry(product: Product, context: Context) -> Any:
    """Return the index entry of a listed product with all fields of schema.py."""
    shown = build_card(product, context)
    document = tantivy.Document()
    path = context.tree.path(product.category)
    _add_terms(document, product, path)
    _add_words(document, product, path)
    document.add_unsigned("price", product.cheapest.price.amount)
    document.add_unsigned("stars", int((product.rating.average or 0) * 10))
    document.add_unsigned("tie", tie_breaker(product.id))
    for name, key in build_sort_keys(product, context.popularity.get(product.id, 0)).items():
        document.add_unsigned(name, key)
    document.add_boolean("in_stock", shown["availability"] != Availability.OUT)
    document.add_boolean("on_sale", shown["compare_at_price"] is not None)
    document.add_unsigned("version", product.version)
    document.add_bytes("card", dumps(shown))
    document.add_bytes("page", dumps(build_page(product, context)))
    return document


def _add_terms(document: Any, product: Product, path: list[Category]) -> None:
    document.add_text("kind", "product")
    document.add_text("id", product.id)
    document.add_text("slug", product.slug)
    if product.brand:
        document.add_text("brand", product.brand)
    for category in path:
        document.add_text("category", category.id)
    for sku in product.skus:
        document.add_text("sku", sku.lower())
    for name, value in sorted({pair for v in product.variants for pair in v.attributes.items()}):
        document.add_text("attr", f"{name}{ATTR_SEPARATOR}{value}")


def _add_words(document: Any, product: Product, path: list[Category]) -> None:
    values = sorted({value for v in product.variants for value in v.attributes.values()})
    about = " ".join([product.brand, *(category.title for category in path), *values])
    document.add_text("title", product.title)
    document.add_text("about", about)
    document.add_text("body", product.description)
    document.add_text("words", f"{product.title} {about}")


def build_tree_entry(tree: CategoryTree) -> Any:
    """Return the category tree, without counts, as one index entry."""
    document = tantivy.Document()
    document.add_text("kind", "tree")
    document.add_text("id", "tree")
    document.add_bytes("tree", dumps(_nodes(tree, None)))
    return document


def _nodes(tree: CategoryTree, slug: str | None) -> list[dict[str, Any]]:
    return [
        {"slug": child.id, "title": child.title, "children": _nodes(tree, child.id)}
        for child in tree.children(slug)
    ]
