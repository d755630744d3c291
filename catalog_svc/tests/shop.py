"""Small catalogue for tests."""

from __future__ import annotations

from typing import Any

from catalog.container import Dependencies
from catalog.domain import Money, Product, Variant


def eur(amount: int) -> Money:
    return Money(amount, "EUR")


def category(parts: Dependencies, slug: str, title: str | None = None, parent: str | None = None) -> None:
    parts.categories.create(fields={"slug": slug, "title": title or slug.title(), "parent": parent})


def product(parts: Dependencies, title: str, **fields: Any) -> Product:
    """Create a product with one variant of 1,999 cents and 10 units, unless said otherwise."""
    units = fields.pop("units", 10)
    price, before = fields.pop("price", 1999), fields.pop("before", None)
    sku = fields.pop("sku", title.upper().replace(" ", "-"))
    variants = fields.pop("variants", None) or [
        Variant(sku, eur(price), fields.pop("attributes", {}), eur(before) if before else None)
    ]
    made = parts.products.create(fields={"title": title, "category": "lamps", "variants": variants, **fields})
    for variant in variants:
        parts.stock.set_on_hand(sku=variant.sku, on_hand=units)
    return made


def small_shop(parts: Dependencies) -> None:
    """Create six products in Home > Lamps and Chairs, and in Toys."""
    category(parts, "home")
    category(parts, "lamps", parent="home")
    category(parts, "chairs", parent="home")
    category(parts, "toys")
    product(
        parts, "Desk lamp", brand="Lumen", price=4_900, before=5_900, description="Bends in three places."
    )
    product(parts, "Floor lamp", brand="Lumen", price=8_900, units=0)
    product(parts, "Reading lamp", brand="Vela", price=2_900, units=3)
    product(parts, "Armchair", brand="Vela", category="chairs", price=29_900)
    product(
        parts,
        "Stool",
        brand="Odd & Co",
        category="chairs",
        variants=[
            Variant("STOOL-R", eur(3_900), {"colour": "Red", "size": "M"}),
            Variant("STOOL-B", eur(3_500), {"colour": "Blue", "size": "M"}),
        ],
    )
    product(parts, "Teddy bear", category="toys", price=1_500, attributes={"colour": "Brown"})
