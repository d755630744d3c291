"""The catalogue's answers, made of what the index stores, as bytes that go out as they are. Nothing here
asks CouchDB.
"""

from __future__ import annotations

import bisect
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tantivy import Occur, Query

from catalog.readmodel import facets, query
from catalog.readmodel.documents import dumps
from catalog.readmodel.query import Filters
from catalog.readmodel.reader import Reader, Snapshot
from catalog.readmodel.schema import SORT_FIELDS

#: Hits that are ranked at first; a page beyond them ranks all.
RANKED = 1_000
_MOST_WORDS = 50_000

#: An order of results and a place in it: (sort, key) or ("relevance", score, tie).
Place = tuple[Any, ...]


@dataclass(frozen=True)
class Page:
    """A page of cards; `body` is the answer but for its `next`."""

    cards: list[bytes]
    place: Place | None
    total: int


@dataclass(frozen=True)
class Found:
    """A product's page and the version of the document that it was made of."""

    page: bytes
    version: int


class Browse:
    """Searches and lists for shoppers. Each method raises `IndexMissing` before the index was built."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def search(
        self, filters: Filters, sort: str, limit: int, after: Place | None
    ) -> tuple[bytes, Place | None]:
        """The answer of `GET /products` up to its `next`, and the place where the next page begins."""
        snapshot = self._reader.snapshot()
        key = ("search", filters, sort, limit, after)
        return snapshot.keep(key, lambda: _Search(snapshot, filters).answer(sort, limit, after))

    def cards(self, ids: Sequence[str]) -> list[bytes]:
        """The cards of these products in that order; unknown ones are left out."""
        snapshot = self._reader.snapshot()
        wanted = Query.boolean_query(
            [(Occur.Must, query.term("kind", "product")), (Occur.Must, query.any_term("id", ids))]
        )
        found = {}
        for _, address in snapshot.searcher.search(wanted, len(ids), count=False).hits:
            document = snapshot.searcher.doc(address)
            found[document.get_first("id")] = document.get_first("card")
        return [found[id] for id in dict.fromkeys(ids) if id in found]

    def product(self, slug: str) -> Found | None:
        """The page of a listed product."""
        document = self._reader.snapshot().first("slug", slug)
        if document is None:
            return None
        return Found(document.get_first("page"), document.get_first("version"))

    def version_of(self, product_id: str) -> int | None:
        """The version that the index shows of a product; None when it is not listed."""
        document = self._reader.snapshot().first("id", product_id)
        return None if document is None else document.get_first("version")

    def categories(self) -> bytes:
        """The answer of `GET /categories`."""
        snapshot = self._reader.snapshot()
        return snapshot.keep(
            "categories", lambda: dumps(_counted(_tree(snapshot), _category_counts(snapshot)))
        )

    def suggest(self, text: str, limit: int = 6) -> bytes:
        """The answer of `GET /suggest`."""
        snapshot = self._reader.snapshot()
        return snapshot.keep(("suggest", text, limit), lambda: _suggest(snapshot, text, limit))

    def ids(self, text: str, limit: int = 100) -> list[str]:
        """The ids of the listed products that match these words, best first."""
        snapshot = self._reader.snapshot()
        hits = snapshot.searcher.search(_Search(snapshot, Filters(q=text)).wanted, limit).hits
        return [snapshot.searcher.doc(address).get_first("id") for _, address in hits]

    def size(self) -> int:
        """How many products are listed."""
        return int(self._reader.snapshot().searcher.search(query.term("kind", "product"), 1).count)


class _Search:
    """One query over one snapshot; ranking and facets are kept there for the pages to come."""

    def __init__(self, snapshot: Snapshot, filters: Filters) -> None:
        self._snapshot = snapshot
        self._searcher = snapshot.searcher
        self._filters = filters
        self._text, self.meant = self._understand(filters)
        self.wanted = query.matching(filters, self._text)

    def answer(self, sort: str, limit: int, after: Place | None) -> tuple[bytes, Place | None]:
        by_score = sort == "relevance" and self._text is not None
        page = self._ranked(limit, after) if by_score else self._sorted(sort, limit, after)
        counts = self._snapshot.keep(("facets", self._filters), self._count)
        body = b'{"results":[' + b",".join(page.cards) + b'],"facets":' + counts + b',"total":%d' % page.total
        if self.meant:
            body += b',"did_you_mean":' + dumps(self.meant)
        return body, page.place

    def _understand(self, filters: Filters) -> tuple[Any | None, str | None]:
        """What `q` comes to: all words, else with the last one unfinished, else what was probably meant."""
        if not filters.q:
            return None, None
        return self._snapshot.keep(("text", filters.q), lambda: self._interpret(filters))

    def _interpret(self, filters: Filters) -> tuple[Any, str | None]:
        exact = query.all_words(filters.q)
        if self._hits(exact):
            return exact, None
        begun = query.begun_words(filters.q)
        if self._hits(begun):
            return begun, None
        meant = query.corrected(filters.q, lambda: _vocabulary(self._snapshot), self._is_known)
        better = query.all_words(meant) if meant else None
        return (better, meant) if better is not None and self._hits(better) else (exact, None)

    def _hits(self, text: Any) -> bool:
        """Whether anything matches, other filters aside: a filter must not change what a word means."""
        return bool(self._searcher.search(query.matching(Filters(), text), 1, count=False).hits)

    def _is_known(self, word: str) -> bool:
        return self._hits(query.all_words(word))

    def _count(self) -> bytes:
        titles = self._snapshot.keep("titles", lambda: dict(_titles(_tree(self._snapshot))))
        return dumps(facets.count(self._aggregate, self._filters, titles))

    def _aggregate(self, filters: Filters, names: tuple[str, ...]) -> Mapping[str, Any]:
        """Counts for a facet without its own filter are kept: they are the same whatever is chosen in it."""
        if filters == self._filters:
            return self._aggregate_anew(self.wanted, names)
        key = ("counts", filters, names)
        return self._snapshot.keep(
            key, lambda: self._aggregate_anew(query.matching(filters, self._text), names)
        )

    def _aggregate_anew(self, wanted: Any, names: tuple[str, ...]) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = self._searcher.aggregate(
            wanted, {name: facets.COUNTS[name] for name in names}
        )
        return answer

    def _total(self) -> int:
        def count() -> int:
            return int(self._searcher.search(self.wanted, 1).count)

        return self._snapshot.keep(("total", self._filters), count)

    def _sorted(self, sort: str, limit: int, after: Place | None) -> Page:
        wanted = self.wanted
        sort = "popular" if sort == "relevance" else sort
        if after is not None:
            beyond = query.between(SORT_FIELDS[sort], after[1], None, after=True)
            wanted = Query.boolean_query([(Occur.Must, wanted), (Occur.Must, beyond)])
        hits = self._searcher.search(wanted, limit + 1, count=False, **query.order(sort)).hits
        place = (sort, hits[limit - 1][0]) if len(hits) > limit else None
        return Page(self._cards([address for _, address in hits[:limit]]), place, self._total())

    def _ranked(self, limit: int, after: Place | None) -> Page:
        """By score; equal scores by the tie, so that pages neither repeat nor skip."""
        total = self._total()
        ranking = self._ranking(RANKED)
        start = (
            0
            if after is None
            else bisect.bisect_right(ranking, (-after[1], after[2]), key=lambda hit: hit[:2])
        )
        if start + limit >= len(ranking) < total:
            ranking = self._ranking(total)
            start = (
                0
                if after is None
                else bisect.bisect_right(ranking, (-after[1], after[2]), key=lambda hit: hit[:2])
            )
        shown = ranking[start : start + limit]
        place = ("relevance", -shown[-1][0], shown[-1][1]) if len(ranking) > start + limit else None
        return Page(self._cards([address for *_, address in shown]), place, total)

    def _ranking(self, depth: int) -> list[tuple[float, int, Any]]:
        """(-score, tie, address), best first."""
        return self._snapshot.keep(("ranking", self._filters, depth), lambda: self._rank(depth))

    def _rank(self, depth: int) -> list[tuple[float, int, Any]]:
        hits = self._searcher.search(self.wanted, depth, count=False).hits
        if not hits:
            return []
        ties = self._searcher.fast_field_values("tie", [address for _, address in hits])
        ranked = [(-score, tie, address) for (score, address), tie in zip(hits, ties, strict=True)]
        if len(hits) == depth < self._total():
            # The last group of equal scores may be cut in two; it is ranked when a page comes to it.
            ranked = [hit for hit in ranked if hit[0] < ranked[-1][0]]
        return sorted(ranked, key=lambda hit: hit[:2])

    def _cards(self, addresses: Sequence[Any]) -> list[bytes]:
        return [self._snapshot.card(address) for address in addresses]


def _tree(snapshot: Snapshot) -> list[dict[str, Any]]:
    def read() -> list[dict[str, Any]]:
        document = snapshot.first("kind", "tree")
        nodes: list[dict[str, Any]] = json.loads(document.get_first("tree")) if document is not None else []
        return nodes

    return snapshot.keep("tree", read)


def _titles(nodes: Sequence[Mapping[str, Any]]) -> Any:
    for node in nodes:
        yield node["slug"], node["title"]
        yield from _titles(node["children"])


def _category_counts(snapshot: Snapshot) -> dict[str, int]:
    every = {"category": {"terms": {"field": "category", "size": 10_000}}}
    answer = snapshot.searcher.aggregate(query.term("kind", "product"), every)
    return {bucket["key"]: bucket["doc_count"] for bucket in answer["category"]["buckets"]}


def _counted(nodes: Sequence[Mapping[str, Any]], counts: Mapping[str, int]) -> list[dict[str, Any]]:
    return [
        {
            "slug": node["slug"],
            "title": node["title"],
            "count": counts.get(node["slug"], 0),
            "children": _counted(node["children"], counts),
        }
        for node in nodes
    ]


def _vocabulary(snapshot: Snapshot) -> list[str]:
    """Words of titles, brands, categories and attributes."""
    return snapshot.keep(
        "vocabulary",
        lambda: [word for word, _ in snapshot.searcher.terms_with_prefix("words", "", None, _MOST_WORDS)],
    )


def _suggest(snapshot: Snapshot, text: str, limit: int) -> bytes:
    """Products, categories and queries that `text` may become."""
    search = _Search(snapshot, Filters(q=text))
    hits = snapshot.searcher.search(search.wanted, limit, count=False).hits
    cards = [snapshot.card(address) for _, address in hits]
    last = (query.words(text) or [""])[-1]
    begun = snapshot.searcher.terms_with_prefix("words", last, None, 200) if last else []
    best = sorted(begun, key=lambda word: (-word[1], word[0]))[:limit]
    lead = " ".join(query.words(text)[:-1])
    queries = [f"{lead} {word}".strip() for word, _ in best] or ([search.meant] if search.meant else [])
    wanted = text.lower()
    titles = [{"slug": s, "title": t} for s, t in _titles(_tree(snapshot)) if wanted in t.lower()][:limit]
    return (
        b'{"products":['
        + b",".join(cards)
        + b'],"categories":'
        + dumps(titles)
        + b',"queries":'
        + dumps(queries)
        + b"}"
    )
