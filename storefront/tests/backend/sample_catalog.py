"""Products and categories of the fake catalogue."""

from __future__ import annotations

import re
from typing import Any

Json = Any

#: title, brand, category, picture, price in cents, price before, values of `colour`
_PRODUCTS: tuple[tuple[str, str, str, str, int, int | None, tuple[str, ...]], ...] = (
    ("Wireless headphones", "Vela", "audio", "1f3a7", 8900, 11900, ("Black", "Sand")),
    ("Table radio", "Lumen", "audio", "1f4fb", 5900, None, ()),
    ("Laptop 14 inch", "Cobalt", "computers", "1f4bb", 89900, 99900, ("Grey", "Blue")),
    ("Optical mouse", "Cobalt", "computers", "1f5b1-fe0f", 2400, None, ()),
    ("Compact camera", "Kestrel", "cameras", "1f4f7", 32900, 36900, ()),
    ("Telescope", "Kestrel", "cameras", "1f52d", 21900, 24900, ()),
    ("Two-seat sofa", "Alder & Oak", "living-room", "1f6cb-fe0f", 59900, 69900, ("Moss", "Rust")),
    ("Wooden chair", "Alder & Oak", "living-room", "1fa91", 8900, None, ()),
    ("Floor lamp", "Lumen", "living-room", "1f4a1", 5400, 6400, ()),
    ("Hand-thrown vase", "Mossbank", "living-room", "1f3fa", 4500, None, ()),
    ("Green tea", "Mossbank", "kitchen", "1f375", 900, None, ()),
    ("Cook's knife", "Fable", "kitchen", "1f52a", 6900, None, ()),
)
_TREE = {
    ("electronics", "Electronics"): (("audio", "Audio"), ("computers", "Computers"), ("cameras", "Cameras")),
    ("home", "Home"): (("living-room", "Living room"), ("kitchen", "Kitchen")),
}


def euros(amount: int) -> Json:
    return {"amount": amount, "currency": "EUR"}


def slug_of(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower().replace("'", "")).strip("-")


def products(media: str) -> list[Json]:
    return [_product(number, media, *row) for number, row in enumerate(_PRODUCTS)]


def _product(
    number: int,
    media: str,
    title: str,
    brand: str,
    category: str,
    picture: str,
    price: int,
    was: int | None,
    colours: tuple[str, ...],
) -> Json:
    return {
        "id": f"product-{number}",
        "slug": slug_of(title),
        "title": title,
        "brand": brand,
        "category": category,
        "description": f"{title} by {brand}.\nMade to last, and made to be mended.",
        "breadcrumbs": [{"slug": slug, "title": name} for slug, name in path(category)],
        "variants": [
            {
                "sku": f"SKU-{number}-{colour.upper()}" if colour else f"SKU-{number}",
                "attributes": {"colour": colour} if colour else {},
                "price": euros(price),
                "compare_at_price": euros(was) if was else None,
                "availability": "out" if colour == "Rust" else "low" if number == 5 else "in_stock",
            }
            for colour in colours or ("",)
        ],
        "images": [{"id": f"image-{number}", "alt": title, "renditions": _renditions(media, picture)}],
        "rating": {"average": 4.5, "count": 12} if number % 2 == 0 else {"average": None, "count": 0},
    }


def _renditions(media: str, picture: str) -> list[Json]:
    return [
        {"url": f"{media}/{picture}.{width}.webp", "width": width, "height": width, "format": "webp"}
        for width in (320, 640)
    ]


def path(category: str) -> tuple[tuple[str, str], ...]:
    top, children = next((top, below) for top, below in _TREE.items() if category in dict(below))
    return (top, (category, dict(children)[category]))


def under(slug: str) -> set[str]:
    """Return the category and those below it."""
    return {slug} | {child for top, below in _TREE.items() if top[0] == slug for child, _ in below}


def categories(found: list[Json]) -> list[Json]:
    return [_category(found, top, below) for top, below in _TREE.items()]


def _category(found: list[Json], top: tuple[str, str], below: tuple[tuple[str, str], ...] = ()) -> Json:
    count = sum(product["category"] in under(top[0]) for product in found)
    children = [_category(found, child) for child in below]
    return {"slug": top[0], "title": top[1], "count": count, "children": children}


def card(product: Json) -> Json:
    first = product["variants"][0]
    made = {name: product[name] for name in ("id", "slug", "title", "brand", "category", "rating")}
    made["image"] = product["images"][0]
    made["price_from"], made["compare_at_price"] = first["price"], first["compare_at_price"]
    made["availability"] = first["availability"]
    return made | ({"sku": first["sku"]} if len(product["variants"]) == 1 else {})


def facets(found: list[Json]) -> Json:
    brands = sorted({product["brand"] for product in found})
    return {
        "category": [{"value": "audio", "label": "Audio", "count": 2}],
        "brand": [{"value": b, "label": b, "count": sum(p["brand"] == b for p in found)} for b in brands],
        "price": [
            {"value": "0-4999", "label": "Under €50", "count": 3},
            {"value": "5000-", "label": "€50 and over", "count": 9},
        ],
        "rating": [],
        "attr.colour": [{"value": c, "label": c, "count": 1} for c in ("Black", "Sand")],
    }
