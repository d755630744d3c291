"""Searches and lists for shoppers, built from stored bytes of the index without asking CouchDB."""

from __future__ import annotations

import bisect
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tantivy import Occur, Query

from catalog.readmodel import facets, query
from catalog.readmodel.index_documents import dumps
from catalog.readmodel.query import Filters
from catalog.readmodel.reader import IndexReader, Snapshot
from catalog.readmodel.schema import SORT_FIELDS

#: Hits that are ranked at first; a page beyond them ranks all.
RANKED = 1_000
_MAX_WORDS = 50_000

#: Position in an order of results: (sort, key) or ("relevance", score, tie).
Cursor = tuple[Any, ...]


@dataclass(frozen=True)
class Page:
    """Page of cards, with the cursor of the next page."""

    cards: list[bytes]
    cursor: Cursor | None
    total: int


@dataclass(frozen=True)
class IndexedProduct:
    """Page of a product, and the version of the document that it was made from."""

    page: bytes
    version: int


class CatalogSearch:
    """Searches and lists for shoppers.

    Each method raises `IndexMissing` before the index was built.
    """

    def __init__(self, reader: IndexReader) -> None:
        self._reader = reader

    def search(
        self, filters: Filters, sort: str, limit: int, after: Cursor | None
    ) -> tuple[bytes, Cursor | None]:
        """Return the body of `GET /products` up to its `next`, and the cursor of the next page."""
        snapshot = self._reader.snapshot()
        key = ("search", filters, sort, limit, after)
        return snapshot.cached(key, lambda: _Search(snapshot, filters).answer(sort, limit, after))

    def cards(self, ids: Sequence[str]) -> list[bytes]:
        """Return the cards of these products in that order, without the unknown ones."""
        snapshot = self._reader.snapshot()
        wanted = Query.boolean_query(
            [(Occur.Must, query.term_query("kind", "product")), (Occur.Must, query.any_term_query("id", ids))]
        )
        found = {}
        for _, address in snapshot.searcher.search(wanted, len(ids), count=False).hits:
            document = snapshot.searcher.doc(address)
            found[document.get_first("id")] = document.get_first("card")
        return [found[id] for id in dict.fromkeys(ids) if id in found]

    def product(self, slug: str) -> IndexedProduct | None:
        """Return the page of a listed product; None if there is none."""
        document = self._reader.snapshot().find_first("slug", slug)
        if document is None:
            return None
        return IndexedProduct(document.get_first("page"), document.get_first("version"))

    def version_of(self, product_id: str) -> int | None:
        """Return the indexed version of a product; None if it is not listed."""
        document = self._reader.snapshot().find_first("id", product_id)
        return None if document is None else document.get_first("version")

    def categories(self) -> bytes:
        """Return the body of `GET /categories`."""
        snapshot = self._reader.snapshot()
        return snapshot.cached(
            "categories", lambda: dumps(_counted(_tree(snapshot), _category_counts(snapshot)))
        )

    def suggest(self, text: str, limit: int = 6) -> bytes:
        """Return the body of `GET /suggest`."""
        snapshot = self._reader.snapshot()
        return snapshot.cached(("suggest", text, limit), lambda: _suggest(snapshot, text, limit))

    def ids(self, text: str, limit: int = 100) -> list[str]:
        """Return the ids of the listed products that match these words, best first."""
        snapshot = self._reader.snapshot()
        hits = snapshot.searcher.search(_Search(snapshot, Filters(q=text)).wanted, limit).hits
        return [snapshot.searcher.doc(address).get_first("id") for _, address in hits]

    def size(self) -> int:
        """Return the number of listed products."""
        return int(self._reader.snapshot().searcher.search(query.term_query("kind", "product"), 1).count)


class _Search:
    """One query over one snapshot, which caches ranking and facets for the following pages."""

    def __init__(self, snapshot: Snapshot, filters: Filters) -> None:
        self._snapshot = snapshot
        self._searcher = snapshot.searcher
        self._filters = filters
        self._text, self.meant = self._understand(filters)
        self.wanted = query.build_query(filters, self._text)

    def answer(self, sort: str, limit: int, after: Cursor | None) -> tuple[bytes, Cursor | None]:
        by_score = sort == "relevance" and self._text is not None
        page = self._ranked(limit, after) if by_score else self._sorted(sort, limit, after)
        counts = self._snapshot.cached(("facets", self._filters), self._count)
        body = b'{"results":[' + b",".join(page.cards) + b'],"facets":' + counts + b',"total":%d' % page.total
        if self.meant:
            body += b',"did_you_mean":' + dumps(self.meant)
        return body, page.cursor

    def _understand(self, filters: Filters) -> tuple[Any | None, str | None]:
        """Return the text query for `q`, and its spelling if that was corrected.

        It matches all words, else all with the last one unfinished, else the most similar known words.
        """
        if not filters.q:
            return None, None
        return self._snapshot.cached(("text", filters.q), lambda: self._interpret(filters))

    def _interpret(self, filters: Filters) -> tuple[Any, str | None]:
        exact = query.all_words_query(filters.q)
        if self._hits(exact):
            return exact, None
        begun = query.prefix_query(filters.q)
        if self._hits(begun):
            return begun, None
        meant = query.correct_spelling(filters.q, lambda: _vocabulary(self._snapshot), self._is_known)
        better = query.all_words_query(meant) if meant else None
        return (better, meant) if better is not None and self._hits(better) else (exact, None)

    def _hits(self, text: Any) -> bool:
        """Return True if anything matches, ignoring other filters.

        A filter must not change what a word means.
        """
        return bool(self._searcher.search(query.build_query(Filters(), text), 1, count=False).hits)

    def _is_known(self, word: str) -> bool:
        return self._hits(query.all_words_query(word))

    def _count(self) -> bytes:
        titles = self._snapshot.cached("titles", lambda: dict(_titles(_tree(self._snapshot))))
        return dumps(facets.count_facets(self._aggregate, self._filters, titles))

    def _aggregate(self, filters: Filters, names: tuple[str, ...]) -> Mapping[str, Any]:
        """Return aggregations, cached for a facet without its own filter.

        Those are the same whatever is chosen in the facet.
        """
        if filters == self._filters:
            return self._run_aggregation(self.wanted, names)
        key = ("counts", filters, names)
        return self._snapshot.cached(
            key, lambda: self._run_aggregation(query.build_query(filters, self._text), names)
        )

    def _run_aggregation(self, wanted: Any, names: tuple[str, ...]) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = self._searcher.aggregate(
            wanted, {name: facets.COUNTS[name] for name in names}
        )
        return answer

    def _total(self) -> int:
        def count() -> int:
            return int(self._searcher.search(self.wanted, 1).count)

        return self._snapshot.cached(("total", self._filters), count)

    def _sorted(self, sort: str, limit: int, after: Cursor | None) -> Page:
        wanted = self.wanted
        sort = "popular" if sort == "relevance" else sort
        if after is not None:
            beyond = query.range_query(SORT_FIELDS[sort], after[1], None, after=True)
            wanted = Query.boolean_query([(Occur.Must, wanted), (Occur.Must, beyond)])
        hits = self._searcher.search(wanted, limit + 1, count=False, **query.sort_arguments(sort)).hits
        cursor = (sort, hits[limit - 1][0]) if len(hits) > limit else None
        return Page(self._cards([address for _, address in hits[:limit]]), cursor, self._total())

    def _ranked(self, limit: int, after: Cursor | None) -> Page:
        """Return a page by score.

        Equal scores are ordered by the tie breaker, so that pages neither repeat nor skip.
        """
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
        cursor = ("relevance", -shown[-1][0], shown[-1][1]) if len(ranking) > start + limit else None
        return Page(self._cards([address for *_, address in shown]), cursor, total)

    def _ranking(self, depth: int) -> list[tuple[float, int, Any]]:
        """Return (-score, tie, address), best first."""
        return self._snapshot.cached(("ranking", self._filters, depth), lambda: self._rank(depth))

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
        document = snapshot.find_first("kind", "tree")
        nodes: list[dict[str, Any]] = json.loads(document.get_first("tree")) if document is not None else []
        return nodes

    return snapshot.cached("tree", read)


def _titles(nodes: Sequence[Mapping[str, Any]]) -> Any:
    for node in nodes:
        yield node["slug"], node["title"]
        yield from _titles(node["children"])


def _category_counts(snapshot: Snapshot) -> dict[str, int]:
    every = {"category": {"terms": {"field": "category", "size": 10_000}}}
    answer = snapshot.searcher.aggregate(query.term_query("kind", "product"), every)
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
    """Return the words of titles, brands, categories and attributes."""
    return snapshot.cached(
        "vocabulary",
        lambda: [word for word, _ in snapshot.searcher.terms_with_prefix("words", "", None, _MAX_WORDS)],
    )


def _suggest(snapshot: Snapshot, text: str, limit: int) -> bytes:
    """Return products, categories and queries that `text` may become."""
    search = _Search(snapshot, Filters(q=text))
    hits = snapshot.searcher.search(search.wanted, limit, count=False).hits
    cards = [snapshot.card(address) for _, address in hits]
    last = (query.tokenize(text) or [""])[-1]
    begun = snapshot.searcher.terms_with_prefix("words", last, None, 200) if last else []
    best = sorted(begun, key=lambda word: (-word[1], word[0]))[:limit]
    lead = " ".join(query.tokenize(text)[:-1])
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
