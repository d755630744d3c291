"""Projection of documents to index entries; everything is read before anything is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.domain import Availability, CategoryTree, Product, availability_of
from catalog.readmodel.index_documents import Context, build_product_entry, build_tree_entry
from catalog.readmodel.sources import Sources, all_categories


@dataclass(frozen=True)
class ProjectedEntries:
    """Index entries by product id (None: not for sale), and the availability they show by SKU."""

    entries: Mapping[str, Any | None]
    availability: Mapping[str, Availability]

    @property
    def documents(self) -> list[Any]:
        return [entry for entry in self.entries.values() if entry is not None]


class Projection:
    """Reads products and the data for their entries; caches the category tree and popularity."""

    def __init__(self, sources: Sources, media_url: str) -> None:
        self._sources = sources
        self._media_url = media_url
        self._tree: CategoryTree | None = None
        self._popularity: Mapping[str, int] | None = None

    def read(self, ids: Sequence[str]) -> ProjectedEntries:
        """Read these products and make their entries; unknown ids have none."""
        projected = self.project(self._sources.products.get_many(ids))
        return ProjectedEntries(dict.fromkeys(ids) | dict(projected.entries), projected.availability)

    def project(self, products: Sequence[Product]) -> ProjectedEntries:
        """Make the entries of these products, with stock as it is now."""
        skus = [sku for product in products for sku in product.skus]
        found = {stock.sku: stock.availability for stock in self._sources.stock.get_many(skus)}
        context = Context(self.tree(), found, self._current_popularity(), self._media_url)
        entries = {product.id: _entry(product, context) for product in products}
        return ProjectedEntries(entries, {sku: found.get(sku, availability_of(0)) for sku in skus})

    def tree(self) -> CategoryTree:
        if self._tree is None:
            self._tree = CategoryTree(all_categories(self._sources.categories))
        return self._tree

    def tree_entry(self) -> Any:
        return build_tree_entry(self.tree())

    def read_tree(self) -> CategoryTree:
        """Read the categories again."""
        self._tree = CategoryTree(all_categories(self._sources.categories))
        return self._tree

    def read_popularity(self) -> None:
        """Read again the number of units sold of each product."""
        rows = self._sources.purchases.rows("sold", group=True)
        self._popularity = {row.key: row.value for row in rows}

    def _current_popularity(self) -> Mapping[str, int]:
        if self._popularity is None:
            self.read_popularity()
        return self._popularity or {}


def _entry(product: Product, context: Context) -> Any | None:
    """Return the entry of a product that shoppers may see, else None."""
    return build_product_entry(product, context) if product.is_listed and product.variants else None
