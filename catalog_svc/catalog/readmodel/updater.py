"""Changes of the documents, written to one open index. Everything is read before anything is deleted."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Sequence

from catalog.domain import Availability
from catalog.readmodel.comparison import MENDED, TREE, Comparison, Difference, differences
from catalog.readmodel.documents import tree_document
from catalog.readmodel.projection import Projection
from catalog.readmodel.sources import Sources, pages_of_products
from catalog.readmodel.writer import IndexWriter
from chassis.couch import Change, FileCursor

log = logging.getLogger(__name__)

PAGE = 200


class IndexUpdater:
    """Writes to one index, from the time it is opened until it is closed; one thread at a time."""

    def __init__(self, writer: IndexWriter, sources: Sources, media_url: str) -> None:
        self.writer = writer
        self.lock = threading.RLock()
        self._sources = sources
        self._projection = Projection(sources, media_url)
        self._shown: dict[str, Availability] = {}
        #: Products that were bought and whose popularity is still to be written, kept over a restart.
        self._waiting = FileCursor(writer.path / "bought.json")
        self._bought: set[str] = set((self._waiting.load() or {}).get("ids", ()))

    def fill(self) -> None:
        """Write every product there is to the new index."""
        self.writer.replace_all([self._projection.tree_entry()])
        for products in pages_of_products(self._sources.products, PAGE):
            projected = self._projection.of(products)
            self.writer.replace([], projected.documents)
            self._shown.update(projected.shown)

    def begin_anew(self) -> None:
        """Empty the index, whose feeds are read from their beginning; nobody reads it yet."""
        with self.lock:
            self._shown.clear()
            self.writer.replace_all([tree_document(self._projection.read_tree())])

    # -- what changed

    def catalog_changed(self, changes: Sequence[Change]) -> None:
        """Write the products of a page of the catalogue's feed."""
        ids: dict[str, list[str]] = {}
        for change in changes:
            kind, _, id = change.id.partition(":")
            ids.setdefault(kind, []).append(id)
        with self.lock:
            products = dict.fromkeys(ids.get("product", ()))
            if "category" in ids:
                products |= dict.fromkeys(self._replant(ids["category"]))
            self.write(products)
            self._heard_of({id for change in changes for id in _bought(change)})

    def stock_changed(self, changes: Sequence[Change]) -> None:
        """Most changes of stock do not show: only what crosses in stock, low or out is written."""
        ids = [change.id.partition(":")[2] for change in changes if change.id.startswith("stock:")]
        with self.lock:
            crossed = [
                stock.product_id
                for stock in self._sources.stock.get_many(ids)
                if self._shown.get(stock.sku) is not stock.availability and stock.product_id
            ]
            self.write(dict.fromkeys(crossed))

    def _replant(self, slugs: Iterable[str]) -> list[str]:
        """The tree has changed: write it, and answer the products whose place in it may be another now."""
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

    def _heard_of(self, bought: set[str]) -> None:
        if not bought <= self._bought:
            self._bought |= bought
            self._waiting.save({"ids": sorted(self._bought)})

    # -- writing

    def write(self, product_ids: Iterable[str]) -> None:
        """Bring these products in the index up to date with their documents, 200 in a commit. What cannot
        be read is left as it is.
        """
        ids = list(product_ids)
        with self.lock:
            for start in range(0, len(ids), PAGE):
                batch = ids[start : start + PAGE]
                projected = self._projection.read(batch)
                self.writer.replace(batch, projected.documents)
                self._shown.update(projected.shown)  # not before readers can see it

    def _write_tree(self) -> None:
        self.writer.replace([TREE], [self._projection.tree_entry()])

    def write_popularity(self) -> None:
        """Write the products that were bought since the last time; all of them again, if that fails."""
        with self.lock:
            if self._bought:
                self._projection.read_popularity()
                self.write(sorted(self._bought))
                self._bought = set()
                self._waiting.save({"ids": []})

    # -- self-repair

    def begin_comparison(self) -> Comparison:
        """Begin to compare the whole index with the documents."""
        return Comparison(self._sources, self._projection, self.writer.searcher())

    def look_again(self, ids: Sequence[str]) -> list[Difference]:
        """Compare these entries with their documents as they are now."""
        return differences(self.writer.searcher(), self._projection, ids)

    def mend(self, found: Sequence[Difference]) -> None:
        """Write these anew, and say so: it should never be needed."""
        with self.lock:
            if any(one.product_id == TREE for one in found):
                self._write_tree()
            self.write([one.product_id for one in found if one.product_id != TREE])
        for one in found:
            MENDED.labels(one.fault).inc()
            log.warning("the index was mended: %s was %s (%s)", one.product_id, one.fault, one.details)

    def closed(self) -> None:
        """Give the folder's lock back, once whoever writes has ended."""
        with self.lock:
            self.writer.close()


def _bought(change: Change) -> Iterable[str]:
    """The products of a purchase that was made or cancelled."""
    return (change.doc or {}).get("quantities", ()) if change.id.startswith("purchase:") else ()
