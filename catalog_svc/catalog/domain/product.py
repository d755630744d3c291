"""Product aggregate with its variants, images and prices: one document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from catalog.domain.errors import RuleViolation
from catalog.domain.image import Rendition
from catalog.domain.money import Money

MAX_VARIANTS = 100
MAX_IMAGES = 20


class ProductStatus(StrEnum):
    ACTIVE = "active"
    HIDDEN = "hidden"
    DELETED = "deleted"


@dataclass(slots=True)
class Variant:
    """One item that can be put into a cart.

    `weight` is in grams, `attributes` are such as `{"size": "M"}`.
    """

    sku: str
    price: Money
    attributes: dict[str, str] = field(default_factory=dict)
    compare_at_price: Money | None = None
    tax_class: str = "standard"
    weight: int = 0

    @property
    def original_price(self) -> Money | None:
        """The price before the sale, if this variant is on sale."""
        before = self.compare_at_price
        return before if before is not None and before.amount > self.price.amount else None


@dataclass(slots=True)
class ProductImage:
    """Rendered image of a product; `id` is that of its image document."""

    id: str
    alt: str = ""
    renditions: tuple[Rendition, ...] = ()


@dataclass(slots=True)
class Rating:
    """Sum and number of stars, as integers (JavaScript would store 4.0 as 4)."""

    total: int = 0
    count: int = 0

    @property
    def average(self) -> float | None:
        """Average rounded to one decimal; None before the first review."""
        return round(self.total / self.count, 1) if self.count else None


@dataclass(slots=True)
class Product:
    id: str
    slug: str
    title: str
    category: str
    brand: str = ""
    description: str = ""
    status: ProductStatus = ProductStatus.ACTIVE
    variants: list[Variant] = field(default_factory=list)
    images: list[ProductImage] = field(default_factory=list)
    rating: Rating = field(default_factory=Rating)
    created_at: datetime | None = None
    updated_at: datetime | None = None
    version: int = 0
    rev: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    event_seq: int = 0
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def skus(self) -> list[str]:
        return [variant.sku for variant in self.variants]

    @property
    def cheapest(self) -> Variant:
        return min(self.variants, key=lambda variant: variant.price.amount)

    @property
    def is_listed(self) -> bool:
        return self.status is ProductStatus.ACTIVE

    def variant(self, sku: str) -> Variant | None:
        return next((variant for variant in self.variants if variant.sku == sku), None)

    def create(self, at: datetime) -> None:
        """Check the rules of a new product and give it its first version."""
        self._check()
        self.created_at = at
        self._touch(at)

    def revise(self, changes: Mapping[str, Any], at: datetime) -> None:
        """Set the fields in `changes`: title, description, brand, category, slug, status, variants, images.

        Raises `RuleViolation`; a deleted product cannot be revised, nor brought back.
        """
        if self.status is ProductStatus.DELETED:
            raise RuleViolation("product-deleted", "This product has been deleted.")
        for name, value in changes.items():
            if name == "images":
                self._reorder_images(value)
            elif name in _REVISABLE:
                setattr(self, name, value)
            else:
                raise ValueError(f"{name} cannot be revised")
        self._check()
        self._touch(at)

    def reprice(self, sku: str, price: Money, at: datetime) -> None:
        variant = self.variant(sku)
        if variant is None:
            raise RuleViolation("unknown-sku", f"This product has no variant {sku}.")
        variant.price = price
        self._touch(at)

    def remove(self, at: datetime) -> None:
        """Mark the product as deleted.

        The document stays, because its events still have to reach every subscriber.
        """
        if self.status is not ProductStatus.DELETED:
            self.status = ProductStatus.DELETED
            self._touch(at)

    def attach_image(self, image: ProductImage) -> bool:
        """Add a rendered image once; return False if there was nothing to add.

        The version stays, so that an editor's open form does not become stale.
        """
        if self.status is ProductStatus.DELETED or any(have.id == image.id for have in self.images):
            return False
        self.images.append(image)
        return True

    def set_rating(self, rating: Rating) -> bool:
        """Set the rating; return True if it changed."""
        changed = rating != self.rating
        self.rating = rating
        return changed

    def _reorder_images(self, wanted: Iterable[Mapping[str, str]]) -> None:
        """Put the images into the order of `wanted` ({id, alt?}) and remove those left out."""
        have = {image.id: image for image in self.images}
        arranged: dict[str, ProductImage] = {}
        for entry in wanted:
            image = have.get(entry["id"])
            if image is None:
                raise RuleViolation("unknown-image", f"This product has no image {entry['id']}.")
            arranged[image.id] = ProductImage(image.id, entry.get("alt", image.alt), image.renditions)
        self.images = list(arranged.values())

    def _check(self) -> None:
        if not self.variants:
            raise RuleViolation("no-variants", "A product needs one variant at least.")
        if len(set(self.skus)) != len(self.skus):
            raise RuleViolation("sku-taken", "Each SKU may be there once only.")
        shapes = {tuple(sorted(variant.attributes.items())) for variant in self.variants}
        if len(shapes) != len(self.variants):
            raise RuleViolation("same-attributes", "Two variants need attributes that tell them apart.")

    def _touch(self, at: datetime) -> None:
        self.updated_at = at
        self.version += 1


_REVISABLE = frozenset({"title", "description", "brand", "category", "slug", "status", "variants"})
