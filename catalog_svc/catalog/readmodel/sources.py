"""The documents that the index is made of, read as they are now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from catalog.domain import Category, Product, Purchase, Stock
from chassis.couch import Repository

T = TypeVar("T")


@dataclass(frozen=True)
class Sources:
    """Where they are."""

    products: Repository[Product]
    categories: Repository[Category]
    stock: Repository[Stock]
    purchases: Repository[Purchase]


def all_categories(categories: Repository[Category]) -> list[Category]:
    """Every category document; there are hundreds of them at most."""
    return [category for page in _pages(categories, 200) for category in page]


def pages_of_products(products: Repository[Product], size: int) -> Iterator[Sequence[Product]]:
    """Every product, `size` at a time, by id."""
    return _pages(products, size)


def _pages(repository: Repository[T], size: int) -> Iterator[Sequence[T]]:
    cursor = None
    while True:
        page = repository.find("id", limit=size, cursor=cursor)
        yield page.items
        cursor = page.next
        if cursor is None:
            return
