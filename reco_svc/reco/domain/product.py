"""What is for sale, and on which shelf."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Product:
    """What the catalogue said of a product: whether it may be shown."""

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

    def stands_on(self, shelf: str) -> bool:
        """Whether it is in this category, or in one below it."""
        return shelf == self.category or shelf in self.categories

    def resembles(self, other: Product) -> int:
        """How much the catalogue's words say that they are alike: words of the title, and the brand."""
        shared = set(self.title.lower().split()) & set(other.title.lower().split())
        return len(shared) + (2 if self.brand and self.brand == other.brand else 0)

    def hear(self, subject: str, seq: int) -> bool:
        """Whether this fact is news; an older one of the same subject is not."""
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
        # A stock fact is newer than the product's own idea of its stock.
        self.availability = {
            sku: self.availability[sku] if f"sku:{sku}" in self.seen and sku in self.availability else state
            for sku, state in skus.items()
        }

    def stock(self, sku: str, availability: str) -> None:
        self.availability[sku] = availability

    def withdraw(self) -> None:
        self.status = "deleted"
