"""Repositories whose documents the index is made from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from catalog.domain import Category, Product, Purchase, Stock
from chassis.couch import Repository

T = TypeVar("T")


@dataclass(frozen=True)
class Sources:
    """Repositories that the projection reads."""

    products: Repository[Product]
    categories: Repository[Category]
    stock: Repository[Stock]
    purchases: Repository[Purchase]


def all_categories(categories: Repository[Category]) -> list[Category]:
    """Return every category document; there are hundreds of them at most."""
    return [category for page in _pages(categories, 200) for category in page]


def iter_product_pages(products: Repository[Product], size: int) -> Iterator[Sequence[Product]]:
    """Yield all products by id, `size` at a time."""
    return _pages(products, size)


def _pages(repository: Repository[T], size: int) -> Iterator[Sequence[T]]:
    cursor = None
    while True:
        page = repository.find("id", limit=size, cursor=cursor)
        yield page.items
        cursor = page.next
        if cursor is None:
            return
