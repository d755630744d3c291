"""Open index of a web worker, reopened when the writer has committed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from catalog.readmodel.folder import IndexFolder
from catalog.readmodel.schema import open_index, schema

T = TypeVar("T")
#: Results cached per commit of the index; about 15 kB each.
MAX_CACHED = 512
#: Cards cached per commit; about 0.7 kB each.
MAX_CARDS = 4_096


class IndexMissing(Exception):
    """There is no index yet; the background process is building it."""


class Snapshot:
    """One state of the index with a cache of results; it never changes, so they are never stale."""

    def __init__(self, searcher: Any, stamp: tuple[str, int]) -> None:
        self.searcher = searcher
        self.stamp = stamp
        self._cache: dict[Any, Any] = {}
        self._cards: dict[tuple[int, int], bytes] = {}

    def cached(self, key: Any, make: Callable[[], T]) -> T:
        """Return the result of `make`, computed once per `key`.

        Two threads may both compute it, with the same result.
        """
        try:
            found: T = self._cache[key]
        except KeyError:
            found = make()
            if len(self._cache) >= MAX_CACHED:
                self._cache.clear()
            self._cache[key] = found
        return found

    def card(self, address: Any) -> bytes:
        """Return the cached card of the document at `address`; reading it also reads its page."""
        key = (address.segment_ord, address.doc)
        found = self._cards.get(key)
        if found is None:
            if len(self._cards) >= MAX_CARDS:
                self._cards.clear()
            found = self._cards[key] = self.searcher.doc(address).get_first("card")
        return found

    def find_first(self, field: str, value: str) -> Any | None:
        """Return the document with `value` in the term field `field`; None if there is none."""
        import tantivy

        query = tantivy.Query.term_query(schema(), field, value, index_option="basic")
        hits = self.searcher.search(query, 1, count=False).hits
        return self.searcher.doc(hits[0][1]) if hits else None


class IndexReader:
    """Source of the newest snapshot; two `stat` calls per request detect a newer one."""

    def __init__(self, folder: IndexFolder) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._index: Any = None
        self._name = ""
        self._snapshot: Snapshot | None = None

    def snapshot(self) -> Snapshot:
        """Return the newest snapshot.

        Raises `IndexMissing` while there is nothing to read.
        """
        stamp = self._folder.stamp()
        held = self._snapshot
        if held is not None and (stamp is None or held.stamp == stamp):
            return held
        if stamp is None:
            raise IndexMissing
        with self._lock:
            return self._reopen(stamp)

    def _reopen(self, stamp: tuple[str, int]) -> Snapshot:
        held = self._snapshot
        if held is not None and held.stamp == stamp:
            return held
        try:
            if self._name != stamp[0]:
                self._index = open_index(str(self._folder.root / stamp[0]))
                self._index.config_reader("manual")
                self._name = stamp[0]
            self._index.reload()
        except (OSError, ValueError) as error:
            if held is not None:  # half a commit, or a folder just removed: the next request tries again
                return held
            raise IndexMissing from error
        self._snapshot = Snapshot(self._index.searcher(), stamp)
        return self._snapshot
