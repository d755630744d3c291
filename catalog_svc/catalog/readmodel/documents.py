"""How a product becomes what shoppers get: a card, a page, and the fields by which both are found."""

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
    best,
)
from catalog.readmodel.schema import SORT_FIELDS

#: Stands between an attribute's name and its value in the field `attr`.
ATTR_SEPARATOR = "\x1f"
_TIE_BITS = 32
_TOP = 2**31 - 1


def dumps(value: Any) -> bytes:
    """Compact UTF-8 JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Context:
    """What a product's answers need from outside of its document."""

    tree: CategoryTree
    availability: Mapping[str, Availability]
    popularity: Mapping[str, int]
    media_url: str

    def of_sku(self, sku: str) -> Availability:
        return self.availability.get(sku, Availability.OUT)


def money(value: Money | None) -> dict[str, Any] | None:
    return None if value is None else {"amount": value.amount, "currency": value.currency}


def rating(value: Rating) -> dict[str, Any]:
    return {"average": value.average, "count": value.count}


def image(value: ProductImage | None, media_url: str) -> dict[str, Any] | None:
    """`{id, alt, renditions: [{url, width, height, format}]}`, renditions from small to large."""
    if value is None:
        return None
    return {
        "id": value.id,
        "alt": value.alt,
        "renditions": [rendition(r, media_url) for r in value.renditions],
    }


def rendition(value: Rendition, media_url: str) -> dict[str, Any]:
    url = f"{media_url}{value.name}"
    return {"url": url, "width": value.width, "height": value.height, "format": value.format}


def first_image(product: Product) -> ProductImage | None:
    return product.images[0] if product.images else None


def card(product: Product, context: Context) -> dict[str, Any]:
    """The answer's `card` of api.md; price and price before are the cheapest variant's."""
    cheapest = product.cheapest
    made = {
        "id": product.id,
        "slug": product.slug,
        "title": product.title,
        "brand": product.brand,
        "category": product.category,
        "image": image(first_image(product), context.media_url),
        "price_from": money(cheapest.price),
        "compare_at_price": money(cheapest.was),
        "availability": str(best(context.of_sku(sku) for sku in product.skus)),
        "rating": rating(product.rating),
    }
    if len(product.variants) == 1:
        made["sku"] = cheapest.sku
    return made


def page(product: Product, context: Context) -> dict[str, Any]:
    """The answer of `GET /products/{slug}`."""
    return {
        "id": product.id,
        "slug": product.slug,
        "title": product.title,
        "description": product.description,
        "brand": product.brand,
        "category": product.category,
        "breadcrumbs": [{"slug": c.id, "title": c.title} for c in context.tree.path(product.category)],
        "variants": [variant(v, context) for v in product.variants],
        "images": [image(i, context.media_url) for i in product.images],
        "rating": rating(product.rating),
        "price_from": money(product.cheapest.price),
        "availability": str(best(context.of_sku(sku) for sku in product.skus)),
        "status": str(product.status),
    }


def variant(value: Variant, context: Context) -> dict[str, Any]:
    return {
        "sku": value.sku,
        "attributes": value.attributes,
        "price": money(value.price),
        "compare_at_price": money(value.was),
        "availability": str(context.of_sku(value.sku)),
    }


def tie(product_id: str) -> int:
    """A number that orders what else would be equal, the same in every index. Two products with the same
    sort value
    and the same tie (1 in 4 billion) would hide one of them behind a page's end."""
    return int.from_bytes(hashlib.blake2b(product_id.encode(), digest_size=4).digest())


def sort_keys(product: Product, popularity: int) -> dict[str, int]:
    """One ascending integer per order: the value (turned round where the largest comes first), then the
    tie.
    """
    price = min(product.cheapest.price.amount, _TOP)
    newest = 2**32 - 1 - (int(product.created_at.timestamp()) if product.created_at else 0)
    stars = int((product.rating.average or 0) * 10) * 1_000_000 + min(product.rating.count, 999_999)
    values = {
        "price": price,
        "-price": _TOP - price,
        "newest": newest,
        "rating": _TOP - stars,
        "popular": _TOP - min(popularity, _TOP),
    }
    last = tie(product.id)
    return {SORT_FIELDS[name]: value << _TIE_BITS | last for name, value in values.items()}


def product_document(product: Product, context: Context) -> Any:
    """All of a listed product's fields of schema.py."""
    shown = card(product, context)
    document = tantivy.Document()
    path = context.tree.path(product.category)
    _add_terms(document, product, path)
    _add_words(document, product, path)
    document.add_unsigned("price", product.cheapest.price.amount)
    document.add_unsigned("stars", int((product.rating.average or 0) * 10))
    document.add_unsigned("tie", tie(product.id))
    for name, key in sort_keys(product, context.popularity.get(product.id, 0)).items():
        document.add_unsigned(name, key)
    document.add_boolean("in_stock", shown["availability"] != Availability.OUT)
    document.add_boolean("on_sale", shown["compare_at_price"] is not None)
    document.add_unsigned("version", product.version)
    document.add_bytes("card", dumps(shown))
    document.add_bytes("page", dumps(page(product, context)))
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


def tree_document(tree: CategoryTree) -> Any:
    """The category tree without its counts, as one document."""
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
