"""The one writer of a replica's index: reads the products, then follows the feeds of catalogue and stock.

An index is current once it has caught up with both feeds, so readers never see half a catalogue. Each
page of a feed
is written and committed before the follower keeps its cursor, in a file beside the index.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from catalog.domain import Availability, CategoryTree, Product, availability_of
from catalog.readmodel.documents import Context, product_document, tree_document
from catalog.readmodel.folder import IndexFolder
from catalog.readmodel.schema import open_index
from catalog.readmodel.sources import Sources, all_categories, pages_of_products
from chassis.couch import Change, CouchError, FileCursor, Follower, end_of_feed, open_store

log = logging.getLogger(__name__)

_HEAP = 16_000_000
_PAGE = 200
#: Seconds for which purchases are gathered before the products' popularity is written.
POPULARITY_SECONDS = 10.0


class Indexer:
    """`run` follows for ever; `catch_up` does what there is to do now."""

    def __init__(
        self,
        folder: IndexFolder,
        sources: Sources,
        media_url: str,
        stores: Callable[[str], Any] | None = None,
    ) -> None:
        self._folder = folder
        self._sources = sources
        self._media_url = media_url
        self._stores = stores or open_store
        self._lock = threading.RLock()
        self._broken = threading.Event()
        self._forget_all()

    def _forget_all(self) -> None:
        self._path: Path | None = None
        self._index: Any = None
        self._writer: Any = None
        self._tree: CategoryTree | None = None
        self._shown: dict[str, Availability] = {}
        self._popularity: dict[str, int] | None = None
        self._bought: set[str] = set()

    # -- running

    def run(self, stop: threading.Event) -> None:
        """Until `stop`; opens (or builds) the index again when it was found broken or taken away."""
        while not stop.is_set():
            self._broken.clear()
            followers = self._open()
            inner = threading.Event()
            threads = [
                threading.Thread(target=f.run, args=(inner,), name=f.name, daemon=True) for f in followers
            ]
            for thread in threads:
                thread.start()
            self._watch(stop, followers)
            inner.set()
            for thread in threads:
                thread.join(timeout=5)
            self.close()

    def catch_up(self) -> None:
        """Write all changes there are, and make the index current. For tests and commands."""
        if self._writer is None:
            self._followers = self._open()
        for follower in self._followers:
            follower.run_once()
        self._use()
        self.write_popularity()

    def close(self) -> None:
        """Give the folder's lock back."""
        with self._lock:
            if self._writer is not None:
                self._writer.wait_merging_threads()
            self._forget_all()

    def _watch(self, stop: threading.Event, followers: Sequence[Follower]) -> None:
        used, last = False, time.monotonic()
        while not stop.wait(0.1 if not used else 1.0) and not self._broken.is_set():
            if not used and all(follower.caught_up.is_set() for follower in followers):
                self._use()
                used = True
            if used and self._folder.current() != self._path:
                log.warning("the index has gone; building it anew")
                return
            if used and time.monotonic() - last > POPULARITY_SECONDS:
                last = time.monotonic()
                self._guarded(self.write_popularity)

    def _use(self) -> None:
        assert self._path is not None  # noqa: S101 - opened by the callers
        if self._folder.current() != self._path:
            self._writer.commit()
            self._folder.use(self._path)
        self._folder.clean()

    def _open(self) -> list[Follower]:
        with self._lock:
            self._path = self._folder.current()
            if self._path is not None:
                try:
                    self._index = open_index(str(self._path))
                except (OSError, ValueError) as error:
                    log.warning("the index is broken (%s); building it anew", error)
                    self._path = None
            if self._path is None:
                self._path = self._folder.fresh()
                self._index = open_index(str(self._path))
            # Raises while another process holds the folder's lock: one writer per replica.
            self._writer = self._index.writer(heap_size=_HEAP, num_threads=1)
            if self._path != self._folder.current():
                self._fill()
        return [
            self._follower("catalog", self._catalog_changed, self._forget_products),
            self._follower("stock", self._stock_changed, self._shown.clear),
        ]

    def _fill(self) -> None:
        """A new index: read the products, and then follow the feeds from where they were before that, for
        they tell of every purchase and reservation that there ever was. If that fails, the followers read
        the feeds from their beginning: that takes longer and comes to the same.
        """
        try:
            ends = {name: end_of_feed(self._stores(name)) for name in ("catalog", "stock")}
            self._writer.add_document(tree_document(self._current_tree()))
            for products in pages_of_products(self._sources.products, _PAGE):
                self._write_products(products)
            self._writer.commit()
            for name, end in ends.items():
                self._cursor(name).save(end)
        except (CouchError, OSError) as error:
            log.warning("the index is filled from the feeds: %s", error)

    def _cursor(self, database: str) -> FileCursor:
        assert self._path is not None  # noqa: S101 - opened by the callers
        return FileCursor(self._path / f"{database}.cursor.json")

    def _follower(
        self, database: str, handle: Callable[[Sequence[Change]], None], on_restart: Callable[[], None]
    ) -> Follower:
        def handle_many(changes: Sequence[Change]) -> None:
            self._guarded(lambda: handle(changes))

        return Follower(
            database, "index", handle_many=handle_many, on_restart=on_restart, page=_PAGE, wait=3.0,
            store=self._stores(database), cursor=self._cursor(database),
        )  # fmt: skip

    def _guarded(self, work: Callable[[], None]) -> None:
        """An index that cannot be written any more is opened again by `run`; a store that is away is
        waited for.
        """
        try:
            with self._lock:
                work()
        except (OSError, ValueError):
            self._broken.set()
            raise

    # -- what changed

    def _catalog_changed(self, changes: Sequence[Change]) -> None:
        ids: dict[str, list[str]] = {}
        for change in changes:
            kind, _, id = change.id.partition(":")
            ids.setdefault(kind, []).append(id)
        products = dict.fromkeys(ids.get("product", ()))
        if "category" in ids:
            products |= dict.fromkeys(self._replant(ids["category"]))
        for change in changes:
            if change.id.startswith("purchase:") and change.doc:
                self._bought.update(change.doc.get("quantities", {}))
        self.write(products)

    def _stock_changed(self, changes: Sequence[Change]) -> None:
        """Most changes of stock do not show: only what crosses in stock, low or out is written."""
        ids = [change.id.partition(":")[2] for change in changes if change.id.startswith("stock:")]
        crossed = [
            stock.product_id
            for stock in self._sources.stock.get_many(ids)
            if self._shown.get(stock.sku) is not stock.availability and stock.product_id
        ]
        self.write(dict.fromkeys(crossed))

    def _replant(self, slugs: Iterable[str]) -> list[str]:
        """The tree has changed: write it, and answer the products whose place in it may be another now."""
        self._tree = None
        tree = self._current_tree()
        self._writer.delete_documents_by_term("id", "tree")
        self._writer.add_document(tree_document(tree))
        self._writer.commit()
        touched: dict[str, None] = {}
        waiting = list(slugs)
        while waiting:
            slug = waiting.pop()
            if slug not in touched:
                touched[slug] = None
                waiting.extend(child.id for child in tree.children(slug))
        return [id for slug in touched for id in self._products_in(slug)]

    def _products_in(self, slug: str) -> Iterable[str]:
        cursor = None
        while True:
            page = self._sources.products.find("category", {"category": slug}, limit=200, cursor=cursor)
            yield from (product.id for product in page.items)
            cursor = page.next
            if cursor is None:
                return

    def _forget_products(self) -> None:
        """The catalogue's feed is read from its beginning: nothing in the index is known to be right."""
        with self._lock:
            self._writer.delete_all_documents()
            self._tree, self._popularity = None, None
            self._shown.clear()
            self._writer.add_document(tree_document(CategoryTree([])))

    # -- writing

    def write(self, product_ids: Iterable[str]) -> None:
        """Bring these products in the index up to date with their documents."""
        ids = list(product_ids)
        for start in range(0, len(ids), _PAGE):
            self._write_batch(ids[start : start + _PAGE])
        if ids:
            self._writer.commit()

    def write_popularity(self) -> None:
        """Write the products that were bought since the last time."""
        with self._lock:
            bought, self._bought = self._bought, set()
            if bought:
                self._popularity = None
                self.write(sorted(bought))

    def _write_batch(self, ids: Sequence[str]) -> None:
        for id in ids:
            self._writer.delete_documents_by_term("id", id)
        self._write_products(self._sources.products.get_many(ids))

    def _write_products(self, products: Sequence[Product]) -> None:
        """Those that shoppers may see; they are in the index nowhere yet."""
        context = self._context(products)
        for product in products:
            if product.is_listed and product.variants:
                self._writer.add_document(product_document(product, context))

    def _context(self, products: Sequence[Product]) -> Context:
        skus = [sku for product in products for sku in product.skus]
        found = {stock.sku: stock.availability for stock in self._sources.stock.get_many(skus)}
        self._shown.update({sku: found.get(sku, availability_of(0)) for sku in skus})
        return Context(self._current_tree(), found, self._current_popularity(), self._media_url)

    def _current_tree(self) -> CategoryTree:
        if self._tree is None:
            self._tree = CategoryTree(all_categories(self._sources.categories))
        return self._tree

    def _current_popularity(self) -> Mapping[str, int]:
        if self._popularity is None:
            rows = self._sources.purchases.rows("sold", group=True)
            self._popularity = {row.key: row.value for row in rows}
        return self._popularity
