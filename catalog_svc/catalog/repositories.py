"""Collections and their indexes, as data.

There are two databases: `catalog`, and `stock`, which checkout writes often.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from catalog.domain import Category, Claim, Image, IndexRepairs, Product, Purchase, Review, Stock
from chassis.couch import Collection, Index, View


def _sold(document: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    if document.get("type") == "purchase" and not document.get("cancelled"):
        yield from document["quantities"].items()


def _stars(document: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    if document.get("type") == "review":
        yield document["product_id"], document["rating"]


def _available(document: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    if document.get("type") == "stock":
        held = sum(hold["quantity"] for hold in document["reservations"].values())
        yield document["on_hand"] - held, document["product_id"]


def _holds(document: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    if document.get("type") == "stock":
        for order_id, hold in document["reservations"].items():
            yield order_id, hold["quantity"]


PRODUCTS = Collection(
    database="catalog", kind="product", type=Product,
    indexes=(
        Index("created", ("created_at",)), Index("title", ("title",)), Index("category", ("category",)),
        Index("brand", ("brand", "title")), Index("status", ("status", "created_at")),
    ),
)  # fmt: skip

CATEGORIES = Collection(
    database="catalog", kind="category", type=Category,
    indexes=(Index("title", ("title",)), Index("parent", ("parent", "title"))),
)  # fmt: skip

IMAGES = Collection(
    database="catalog", kind="image", type=Image,
    indexes=(Index("created", ("created_at",)), Index("status", ("status", "created_at"))),
)  # fmt: skip

SLUGS = Collection(database="catalog", kind="slug", type=Claim, indexes=(Index("at", ("at",)),))
SKUS = Collection(database="catalog", kind="sku", type=Claim, indexes=(Index("at", ("at",)),))

PURCHASES = Collection(
    database="catalog", kind="purchase", type=Purchase,
    indexes=(Index("account", ("account_id",)),),
    views=(
        View(
            "sold",
            "function (doc) { if (doc.type === 'purchase' && !doc.cancelled)"
            " for (var id in doc.quantities) emit(id, doc.quantities[id]); }",
            "_sum",
            mapper=_sold,
        ),
    ),
)  # fmt: skip

INDEX_REPAIRS = Collection(database="catalog", kind="index-repairs", type=IndexRepairs)

REVIEWS = Collection(
    database="catalog", kind="review", type=Review,
    indexes=(Index("product", ("product_id", "at")), Index("account", ("account_id",)), Index("at", ("at",))),
    views=(
        View(
            "stars",
            "function (doc) { if (doc.type === 'review') emit(doc.product_id, doc.rating); }",
            "_stats",
            mapper=_stars,
        ),
    ),
)  # fmt: skip

STOCK = Collection(
    database="stock", kind="stock", type=Stock,
    indexes=(Index("product", ("product_id",)), Index("on_hand", ("on_hand",))),
    views=(
        View(
            "available",
            "function (doc) { if (doc.type !== 'stock') return; var held = 0;"
            " for (var id in doc.reservations) held += doc.reservations[id].quantity;"
            " emit(doc.on_hand - held, doc.product_id); }",
            mapper=_available,
        ),
        View(
            "holds",
            "function (doc) { if (doc.type === 'stock')"
            " for (var id in doc.reservations) emit(id, doc.reservations[id].quantity); }",
            mapper=_holds,
        ),
    ),
)  # fmt: skip

COLLECTIONS = (PRODUCTS, CATEGORIES, IMAGES, SLUGS, SKUS, PURCHASES, INDEX_REPAIRS, REVIEWS, STOCK)
