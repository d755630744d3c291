"""Compare the index with the documents, one page of products at a time, and repair it."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prometheus_client import Counter, Gauge

from catalog.readmodel import query
from catalog.readmodel.projection import ProjectedEntries, Projection
from catalog.readmodel.schema import SORT_FIELDS
from catalog.readmodel.sources import Sources

#: Products compared at a time, and seconds between two such pages.
PAGE = 100
PAGE_INTERVAL_SECONDS = 2.0
#: Seconds before a discrepancy is checked again; the feeds need up to 10 s for popularity.
RECHECK_DELAY_SECONDS = 20.0
_MAX_IDS = 1_000_000
TREE = "tree"

REPAIRED = Counter(
    "catalog_index_mended_total",
    "Entries of the search index that differed from their documents and were written again",
    ["fault"],
)
LAST_CHECKED = Gauge(
    "catalog_index_compared_timestamp_seconds",
    "When the whole search index was last compared with the documents",
    multiprocess_mode="max",
)


@dataclass(frozen=True)
class Discrepancy:
    """Index entry that differs from its document.

    `fault` is `missing`, `unlisted`, `duplicate` or `stale`; `details` name the fields. `fingerprint` stays
    the same as long as neither of the two changes.
    """

    product_id: str
    fault: str
    details: str
    fingerprint: str


class ConsistencyCheck:
    """One comparison of every product with every entry; it keeps ids, never documents."""

    def __init__(self, sources: Sources, projection: Projection, searcher: Any) -> None:
        self._sources = sources
        self._projection = projection
        self._cursor: str | None = None
        self._unseen = {id for id, _ in searcher.terms_with_prefix("id", "", None, _MAX_IDS)} - {TREE}
        self._pages_left = True
        projection.read_popularity()
        projection.read_tree()
        self._first = _tree_discrepancy(searcher, projection)

    def next_page(self, searcher: Any) -> list[Discrepancy] | None:
        """Compare the next products; return None when all are compared.

        After a `CouchError` the next call repeats the page.
        """
        if self._pages_left:
            page = self._sources.products.find("id", limit=PAGE, cursor=self._cursor)
            found = self._first + _compare(searcher, self._projection.project(page.items))
            self._first = []
            self._unseen.difference_update(product.id for product in page.items)
            self._cursor, self._pages_left = page.next, page.next is not None
            return found
        if self._unseen:  # entries of products that no longer exist
            ids = sorted(self._unseen)[:PAGE]
            found = find_discrepancies(searcher, self._projection, ids)
            self._unseen.difference_update(ids)
            return found
        return None


def find_discrepancies(searcher: Any, projection: Projection, ids: Sequence[str]) -> list[Discrepancy]:
    """Compare the entries of these products with their documents as they are now."""
    of_tree = _tree_discrepancy(searcher, projection) if TREE in ids else []
    return of_tree + _compare(searcher, projection.read([id for id in ids if id != TREE]))


def _tree_discrepancy(searcher: Any, projection: Projection) -> list[Discrepancy]:
    """Compare the category tree, which is an entry of its own."""
    hits = searcher.search(query.term_query("kind", TREE), 2, count=False).hits
    held = [searcher.doc(address).get_first("tree") for _, address in hits]
    wanted = projection.tree_entry().get_first("tree")
    if held == [wanted]:
        return []
    fingerprint = hashlib.blake2b(repr((wanted, held)).encode(), digest_size=8).hexdigest()
    return [Discrepancy(TREE, "stale" if held else "missing", "category tree", fingerprint)]


def _compare(searcher: Any, projected: ProjectedEntries) -> list[Discrepancy]:
    stored = _stored(searcher, list(projected.entries))
    pairs = ((id, entry, stored.get(id, [])) for id, entry in projected.entries.items())
    return [found for id, entry, held in pairs if (found := _discrepancy(id, entry, held))]


def _stored(searcher: Any, ids: Sequence[str]) -> dict[str, list[Mapping[str, Any]]]:
    """Return the entries of these products in the index; more than one per product is a fault."""
    if not ids:
        return {}
    hits = searcher.search(query.any_term_query("id", ids), 3 * len(ids), count=False).hits
    addresses = [address for _, address in hits]
    orders = {name: searcher.fast_field_values(name, addresses) for name in SORT_FIELDS.values()}
    held: dict[str, list[Mapping[str, Any]]] = {}
    for place, address in enumerate(addresses):
        document = searcher.doc(address)
        keys = {name: values[place] for name, values in orders.items()}
        held.setdefault(document.get_first("id"), []).append(_fields(document) | keys)
    return held


def _fields(document: Any) -> dict[str, Any]:
    return {name: document.get_first(name) for name in ("version", "card", "page")}


def _discrepancy(id: str, entry: Any | None, held: Sequence[Mapping[str, Any]]) -> Discrepancy | None:
    wanted = None
    if entry is not None:
        wanted = _fields(entry) | {name: entry.get_first(name) for name in SORT_FIELDS.values()}
    if len(held) > 1:
        fault, details = "duplicate", f"{len(held)} entries"
    elif wanted is None and held:
        fault, details = "unlisted", "shown although it is not for sale"
    elif wanted is not None and not held:
        fault, details = "missing", "not shown although it is for sale"
    elif wanted is not None and wanted != held[0]:
        fault, details = "stale", ", ".join(_changed(wanted, held[0]))
    else:
        return None
    fingerprint = hashlib.blake2b(repr((wanted, held)).encode(), digest_size=8).hexdigest()
    return Discrepancy(id, fault, details, fingerprint)


def _changed(wanted: Mapping[str, Any], held: Mapping[str, Any]) -> list[str]:
    """Return the names of the fields that differ, as staff know them."""
    names: dict[str, None] = {}
    for part in ("card", "page"):
        now, then = json.loads(wanted[part]), json.loads(held[part] or b"{}")
        names |= dict.fromkeys(name for name in now if now[name] != then.get(name))
    fields = {field: f"order by {name}" for name, field in SORT_FIELDS.items()}
    names |= dict.fromkeys(label for field, label in fields.items() if wanted[field] != held[field])
    return list(names) or ["version"]


class IndexRepairer:
    """Schedule of checks of the whole index, and repair of what stays different.

    `interval` is the number of seconds between two checks; after an outage (`check_soon`) the next one
    begins at once. `repair` receives the discrepancies that two comparisons, `recheck_delay` apart, have
    found alike.
    """

    def __init__(
        self,
        begin: Callable[[], ConsistencyCheck],
        recheck: Callable[[Sequence[str]], Iterable[Discrepancy]],
        repair: Callable[[Sequence[Discrepancy]], None],
        *,
        interval: float,
        recheck_delay: float = RECHECK_DELAY_SECONDS,
        page_interval: float = PAGE_INTERVAL_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._begin, self._recheck, self._repair = begin, recheck, repair
        self._interval, self._recheck_delay, self._page_interval = interval, recheck_delay, page_interval
        self._clock = clock
        self._check: ConsistencyCheck | None = None
        self._suspected: dict[str, tuple[float, Discrepancy]] = {}
        self._next_begin = clock() + min(interval, recheck_delay)
        self._next_page = 0.0

    def check_soon(self) -> None:
        """Bring the next check forward, because something has gone wrong."""
        self._next_begin = min(self._next_begin, self._clock() + self._page_interval)

    def step(self, searcher: Any) -> None:
        """Do the work that is due: compare one page at most, and check again what was found before."""
        now = self._clock()
        due = [id for id, (at, _) in self._suspected.items() if now - at >= self._recheck_delay][:PAGE]
        if due:
            self._confirm(due)
        if self._check is None and now >= self._next_begin:
            self._next_begin = now + self._interval
            self._check = self._begin()
        if self._check is not None and now >= self._next_page:
            self._next_page = now + self._page_interval
            self._compare(self._check, searcher, now)

    def _compare(self, check: ConsistencyCheck, searcher: Any, now: float) -> None:
        found = check.next_page(searcher)
        if found is None:
            self._check, self._next_begin = None, min(self._next_begin, now + self._interval)
            LAST_CHECKED.set_to_current_time()
            return
        for discrepancy in found:
            self._suspected.setdefault(discrepancy.product_id, (now, discrepancy))

    def _confirm(self, ids: Sequence[str]) -> None:
        again = {found.product_id: found for found in self._recheck(ids)}
        before = {id: self._suspected[id][1] for id in ids}
        lasting = [found for id, found in again.items() if found.fingerprint == before[id].fingerprint]
        if lasting:
            self._repair(lasting)
        for id in ids:
            del self._suspected[id]
        for id, found in again.items():  # it is still changing, so it is checked once more
            if found.fingerprint != before[id].fingerprint:
                self._suspected[id] = (self._clock(), found)
