"""The index compared with the documents, a page of products at a time, to find what it has missed."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prometheus_client import Counter, Gauge

from catalog.readmodel import query
from catalog.readmodel.projection import Projected, Projection
from catalog.readmodel.schema import SORT_FIELDS
from catalog.readmodel.sources import Sources

#: Products compared at a time, and the seconds between two such pages.
PAGE = 100
PACE_SECONDS = 2.0
#: A difference that stays this long is none that the feeds are about to mend: popularity takes 10 s.
SETTLE_SECONDS = 20.0
_MOST_IDS = 1_000_000
TREE = "tree"

MENDED = Counter(
    "catalog_index_mended_total",
    "Entries of the search index that differed from their documents and were written anew",
    ["fault"],
)
COMPARED = Gauge(
    "catalog_index_compared_timestamp_seconds",
    "When the whole search index was last compared with the documents",
    multiprocess_mode="max",
)


@dataclass(frozen=True)
class Difference:
    """An entry that is not what its document says: `missing`, `unlisted`, `duplicate` or `stale`; `details`
    name the fields. `mark` is the same as long as neither of the two changes.
    """

    product_id: str
    fault: str
    details: str
    mark: str


class Comparison:
    """One look at every product and every entry. It keeps ids, never documents."""

    def __init__(self, sources: Sources, projection: Projection, searcher: Any) -> None:
        self._sources = sources
        self._projection = projection
        self._cursor: str | None = None
        self._unseen = {id for id, _ in searcher.terms_with_prefix("id", "", None, _MOST_IDS)} - {TREE}
        self._pages_left = True
        projection.read_popularity()
        projection.read_tree()
        self._first = _tree_difference(searcher, projection)

    def next_page(self, searcher: Any) -> list[Difference] | None:
        """Compare the next products; None when all were. What `CouchError` interrupts goes on later."""
        if self._pages_left:
            page = self._sources.products.find("id", limit=PAGE, cursor=self._cursor)
            found = self._first + _compare(searcher, self._projection.of(page.items))
            self._first = []
            self._unseen.difference_update(product.id for product in page.items)
            self._cursor, self._pages_left = page.next, page.next is not None
            return found
        if self._unseen:  # entries of products that are no longer there at all
            ids = sorted(self._unseen)[:PAGE]
            found = differences(searcher, self._projection, ids)
            self._unseen.difference_update(ids)
            return found
        return None


def differences(searcher: Any, projection: Projection, ids: Sequence[str]) -> list[Difference]:
    """Compare the entries of these products with their documents as they are now."""
    of_tree = _tree_difference(searcher, projection) if TREE in ids else []
    return of_tree + _compare(searcher, projection.read([id for id in ids if id != TREE]))


def _tree_difference(searcher: Any, projection: Projection) -> list[Difference]:
    """Compare the category tree, which is an entry of its own."""
    hits = searcher.search(query.term("kind", TREE), 2, count=False).hits
    held = [searcher.doc(address).get_first("tree") for _, address in hits]
    wanted = projection.tree_entry().get_first("tree")
    if held == [wanted]:
        return []
    mark = hashlib.blake2b(repr((wanted, held)).encode(), digest_size=8).hexdigest()
    return [Difference(TREE, "stale" if held else "missing", "category tree", mark)]


def _compare(searcher: Any, projected: Projected) -> list[Difference]:
    stored = _stored(searcher, list(projected.entries))
    pairs = ((id, entry, stored.get(id, [])) for id, entry in projected.entries.items())
    return [found for id, entry, held in pairs if (found := _difference(id, entry, held))]


def _stored(searcher: Any, ids: Sequence[str]) -> dict[str, list[Mapping[str, Any]]]:
    """What the index holds of these products; more than one entry of a product is a fault."""
    if not ids:
        return {}
    hits = searcher.search(query.any_term("id", ids), 3 * len(ids), count=False).hits
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


def _difference(id: str, entry: Any | None, held: Sequence[Mapping[str, Any]]) -> Difference | None:
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
    mark = hashlib.blake2b(repr((wanted, held)).encode(), digest_size=8).hexdigest()
    return Difference(id, fault, details, mark)


def _changed(wanted: Mapping[str, Any], held: Mapping[str, Any]) -> list[str]:
    """Names of the fields that differ, as staff know them."""
    names: dict[str, None] = {}
    for part in ("card", "page"):
        now, then = json.loads(wanted[part]), json.loads(held[part] or b"{}")
        names |= dict.fromkeys(name for name in now if now[name] != then.get(name))
    fields = {field: f"order by {name}" for name, field in SORT_FIELDS.items()}
    names |= dict.fromkeys(label for field, label in fields.items() if wanted[field] != held[field])
    return list(names) or ["version"]


class SelfRepair:
    """Compares the whole index from time to time, and writes anew what stays different.

    `interval` seconds lie between the ends and beginnings of comparisons; after an outage (`hurry`) the next
    one begins at once. `mend` is given the differences that two looks have found alike.
    """

    def __init__(
        self,
        begin: Callable[[], Comparison],
        look_again: Callable[[Sequence[str]], Iterable[Difference]],
        mend: Callable[[Sequence[Difference]], None],
        *,
        interval: float,
        settle: float = SETTLE_SECONDS,
        pace: float = PACE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._begin, self._look_again, self._mend = begin, look_again, mend
        self._interval, self._settle, self._pace = interval, settle, pace
        self._clock = clock
        self._comparison: Comparison | None = None
        self._suspects: dict[str, tuple[float, Difference]] = {}
        self._next_begin = clock() + min(interval, settle)
        self._next_page = 0.0

    def hurry(self) -> None:
        """Compare soon: something has gone wrong."""
        self._next_begin = min(self._next_begin, self._clock() + self._pace)

    def step(self, searcher: Any) -> None:
        """Do what is due by now: a page at most, and a second look at what was found before."""
        now = self._clock()
        due = [id for id, (at, _) in self._suspects.items() if now - at >= self._settle][:PAGE]
        if due:
            self._confirm(due)
        if self._comparison is None and now >= self._next_begin:
            self._next_begin = now + self._interval
            self._comparison = self._begin()
        if self._comparison is not None and now >= self._next_page:
            self._next_page = now + self._pace
            self._compare(self._comparison, searcher, now)

    def _compare(self, comparison: Comparison, searcher: Any, now: float) -> None:
        found = comparison.next_page(searcher)
        if found is None:
            self._comparison, self._next_begin = None, min(self._next_begin, now + self._interval)
            COMPARED.set_to_current_time()
            return
        for difference in found:
            self._suspects.setdefault(difference.product_id, (now, difference))

    def _confirm(self, ids: Sequence[str]) -> None:
        again = {found.product_id: found for found in self._look_again(ids)}
        before = {id: self._suspects[id][1] for id in ids}
        lasting = [found for id, found in again.items() if found.mark == before[id].mark]
        if lasting:
            self._mend(lasting)
        for id in ids:
            del self._suspects[id]
        for id, found in again.items():  # it moves, so it is looked at once more
            if found.mark != before[id].mark:
                self._suspects[id] = (self._clock(), found)
