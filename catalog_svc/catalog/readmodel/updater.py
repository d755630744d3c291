"""Write changes of the documents to one open index; everything is read before it is deleted."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Sequence

from catalog.domain import Availability
from catalog.readmodel.consistency import REPAIRED, TREE, ConsistencyCheck, Discrepancy, find_discrepancies
from catalog.readmodel.index_documents import build_tree_entry
from catalog.readmodel.projection import Projection
from catalog.readmodel.sources import Sources, iter_product_pages
from catalog.readmodel.writer import IndexWriter
from chassis.couch import Change, FileCursor

log = logging.getLogger(__name__)

PAGE = 200


class IndexUpdater:
    """Writer of changes to one index, from its opening to its closing; one thread at a time."""

    def __init__(self, writer: IndexWriter, sources: Sources, media_url: str) -> None:
        self.writer = writer
        self.lock = threading.RLock()
        self._sources = sources
        self._projection = Projection(sources, media_url)
        self._indexed_availability: dict[str, Availability] = {}
        #: Products whose popularity is still to be written; survives a restart.
        self._pending_file = FileCursor(writer.path / "bought.json")
        self._popularity_pending: set[str] = set((self._pending_file.load() or {}).get("ids", ()))

    def populate(self) -> None:
        """Write all products to the new index."""
        self.writer.replace_all([self._projection.tree_entry()])
        for products in iter_product_pages(self._sources.products, PAGE):
            projected = self._projection.project(products)
            self.writer.replace([], projected.documents)
            self._indexed_availability.update(projected.availability)

    def reset(self) -> None:
        """Empty an index that nobody reads yet, because its feeds are read from their beginning."""
        with self.lock:
            self._indexed_availability.clear()
            self.writer.replace_all([build_tree_entry(self._projection.read_tree())])

    # -- changes

    def catalog_changed(self, changes: Sequence[Change]) -> None:
        """Write the products of a page of the catalogue's feed."""
        ids: dict[str, list[str]] = {}
        for change in changes:
            kind, _, id = change.id.partition(":")
            ids.setdefault(kind, []).append(id)
        with self.lock:
            products = dict.fromkeys(ids.get("product", ()))
            if "category" in ids:
                products |= dict.fromkeys(self._reindex_categories(ids["category"]))
            self.write(products)
            self._add_pending_popularity({id for change in changes for id in _purchased_products(change)})

    def stock_changed(self, changes: Sequence[Change]) -> None:
        """Write the products whose availability changed between in stock, low and out.

        Most changes of stock do not show.
        """
        ids = [change.id.partition(":")[2] for change in changes if change.id.startswith("stock:")]
        with self.lock:
            crossed = [
                stock.product_id
                for stock in self._sources.stock.get_many(ids)
                if self._indexed_availability.get(stock.sku) is not stock.availability and stock.product_id
            ]
            self.write(dict.fromkeys(crossed))

    def _reindex_categories(self, slugs: Iterable[str]) -> list[str]:
        """Write the changed tree, and return the products whose place in it may have changed."""
        tree = self._projection.read_tree()
        touched: dict[str, None] = {}
        waiting = list(slugs)
        while waiting:
            slug = waiting.pop()
            if slug not in touched:
                touched[slug] = None
                waiting.extend(child.id for child in tree.children(slug))
        moved = [id for slug in touched for id in self._products_in(slug)]
        self._write_tree()
        return moved

    def _products_in(self, slug: str) -> Iterable[str]:
        cursor = None
        while True:
            page = self._sources.products.find("category", {"category": slug}, limit=200, cursor=cursor)
            yield from (product.id for product in page.items)
            cursor = page.next
            if cursor is None:
                return

    def _add_pending_popularity(self, bought: set[str]) -> None:
        if not bought <= self._popularity_pending:
            self._popularity_pending |= bought
            self._pending_file.save({"ids": sorted(self._popularity_pending)})

    # -- writing

    def write(self, product_ids: Iterable[str]) -> None:
        """Update these products in the index from their documents, 200 per commit.

        Products that cannot be read are left as they are.
        """
        ids = list(product_ids)
        with self.lock:
            for start in range(0, len(ids), PAGE):
                batch = ids[start : start + PAGE]
                projected = self._projection.read(batch)
                self.writer.replace(batch, projected.documents)
                self._indexed_availability.update(projected.availability)  # only once readers can see it

    def _write_tree(self) -> None:
        self.writer.replace([TREE], [self._projection.tree_entry()])

    def write_popularity(self) -> None:
        """Write the products bought since the last time; if that fails, all are written next time."""
        with self.lock:
            if self._popularity_pending:
                self._projection.read_popularity()
                self.write(sorted(self._popularity_pending))
                self._popularity_pending = set()
                self._pending_file.save({"ids": []})

    # -- self-repair

    def begin_check(self) -> ConsistencyCheck:
        """Begin to compare the whole index with the documents."""
        return ConsistencyCheck(self._sources, self._projection, self.writer.searcher())

    def recheck(self, ids: Sequence[str]) -> list[Discrepancy]:
        """Compare these entries with their documents as they are now."""
        return find_discrepancies(self.writer.searcher(), self._projection, ids)

    def repair(self, found: Sequence[Discrepancy]) -> None:
        """Write these entries again and log it: it should never be needed."""
        with self.lock:
            if any(one.product_id == TREE for one in found):
                self._write_tree()
            self.write([one.product_id for one in found if one.product_id != TREE])
        for one in found:
            REPAIRED.labels(one.fault).inc()
            log.warning("index entry repaired: %s was %s (%s)", one.product_id, one.fault, one.details)

    def close(self) -> None:
        """Release the folder's lock as soon as no thread writes."""
        with self.lock:
            self.writer.close()


def _purchased_products(change: Change) -> Iterable[str]:
    """Return the products of a purchase that was made or cancelled."""
    return (change.doc or {}).get("quantities", ()) if change.id.startswith("purchase:") else ()
