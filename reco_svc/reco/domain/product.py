"""Products on sale, and their categories."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Product:
    """The projection of a catalogue product: whether it may be shown."""

    id: str
    title: str = ""
    slug: str = ""
    brand: str = ""
    category: str = ""
    categories: tuple[str, ...] = ()
    status: str = "active"
    availability: dict[str, str] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def for_sale(self) -> bool:
        return self.status == "active" and any(state != "out" for state in self.availability.values())

    def is_in_category(self, category: str) -> bool:
        """Return True if the product is in this category or below it."""
        return category == self.category or category in self.categories

    def likeness(self, other: Product) -> int:
        """Score the likeness of two products by their titles and brands."""
        shared = set(self.title.lower().split()) & set(other.title.lower().split())
        return len(shared) + (2 if self.brand and self.brand == other.brand else 0)

    def accept(self, subject: str, seq: int) -> bool:
        """Return True for a new event; False for one older than the last of the same subject."""
        if seq <= self.seen.get(subject, 0):
            return False
        self.seen[subject] = seq
        self.version += 1
        return True

    def describe(self, data: dict[str, Any]) -> None:
        self.title, self.slug = str(data.get("title", "")), str(data.get("slug", ""))
        self.brand = str(data.get("brand") or "")
        self.category, self.status = str(data.get("category", "")), str(data.get("status", "active"))
        self.categories = tuple(str(slug) for slug in data.get("categories") or [self.category])
        skus: dict[str, str] = dict(data.get("skus", {}))
        # A stock event is newer than the stock in a product event.
        self.availability = {
            sku: self.availability[sku] if f"sku:{sku}" in self.seen and sku in self.availability else state
            for sku, state in skus.items()
        }

    def set_availability(self, sku: str, availability: str) -> None:
        self.availability[sku] = availability

    def withdraw(self) -> None:
        self.status = "deleted"
