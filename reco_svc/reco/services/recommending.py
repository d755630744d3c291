"""Lists for shoppers: from the served model in memory, filtered by what is for sale now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from reco import domain
from reco.domain import Lists, Product, Scored


class Snapshot(Protocol):
    """What the process holds in memory; `book.py` keeps it fresh."""

    version: str | None
    algorithm: str
    trained_at: datetime | None
    lists: Lists
    products: dict[str, Product]


@dataclass(frozen=True, slots=True)
class Suggestion:
    product_id: str
    score: float
    reason: str


@dataclass(frozen=True, slots=True)
class Answer:
    results: list[Suggestion]
    algorithm: str
    version: str | None = None
    trained_at: datetime | None = None
    extra: dict[str, str] = field(default_factory=dict)


class Recommendations:
    def __init__(self, *, snapshot: Snapshot) -> None:
        self._held = snapshot

    def similar(self, product_id: str, *, limit: int) -> Answer:
        """What goes with a product: its neighbours, else the most wanted of its shelf."""
        title = self._title(product_id)
        near = self._held.lists.similar.get(product_id, [])
        category = self._category(product_id)
        return self._answer(near, f"often looked at with {title}", {product_id}, limit, category)

    def together(self, product_ids: Sequence[str], *, limit: int) -> Answer:
        """What goes with a basket: bought together, filled up by looked at together."""
        lists = self._held.lists
        near = [(1.0, lists.together.get(product, [])) for product in product_ids]
        near += [(0.5, lists.similar.get(product, [])) for product in product_ids]
        scored = [(product, score) for product, score, _ in domain.blend(near)]
        category = self._category(product_ids[0]) if product_ids else None
        return self._answer(scored, "goes with your basket", set(product_ids), limit, category)

    def for_you(self, people: Sequence[str], *, limit: int) -> Answer:
        """A personal list by recency-weighted history; without a history trending, and says so."""
        lists = self._held.lists
        taste = domain.history_of(lists, people)
        history = [product for product, _ in taste]
        book = lists.personal or lists.similar  # a model from before there were personal lists
        ranked = domain.blend((weight, book.get(product, [])) for product, weight in taste)
        if not ranked:
            return self.trending(category=None, limit=limit)
        because = {product: history[place] for product, _, place in ranked}
        owned = {product for person in people for product in lists.owned.get(person, [])}
        exclude = owned | set(history[:5])
        chosen = domain.showable(((p, s) for p, s, _ in ranked), self._allowed, exclude, limit)
        return self._made(
            [Suggestion(p, round(s, 6), f"because you viewed {self._title(because[p])}") for p, s in chosen]
        )

    def trending(self, *, category: str | None, limit: int) -> Answer:
        """The most wanted of late, all or of one category and what is below it."""
        scored = self._popular(category)
        chosen = domain.showable(scored, self._allowed, set(), limit)
        return self._made([Suggestion(p, s, "wanted by many just now") for p, s in chosen], "trending")

    def _answer(
        self, scored: Sequence[Scored], reason: str, exclude: set[str], limit: int, category: str | None
    ) -> Answer:
        chosen = domain.showable(scored, self._allowed, exclude, limit)
        found = [Suggestion(product, score, reason) for product, score in chosen]
        if found:
            return self._made(found)
        popular = domain.showable(self._popular(category), self._allowed, exclude, limit)
        return self._made([Suggestion(p, s, "popular on this shelf") for p, s in popular], "popularity")

    def _popular(self, category: str | None) -> list[Scored]:
        """Trending first, then what nobody has looked at yet, so that a new shop has a shelf too."""
        known = self._held.lists.trending
        seen = {product for product, _ in known}
        unseen = [product for product in sorted(self._held.products, reverse=True) if product not in seen]
        everything = [*known, *((product, 0.0) for product in unseen)]
        if category is None:
            return everything
        held = self._held.products
        return [(id, score) for id, score in everything if id in held and held[id].stands_on(category)]

    def _made(self, results: list[Suggestion], algorithm: str | None = None) -> Answer:
        held = self._held
        return Answer(results, algorithm or held.algorithm, held.version, held.trained_at)

    def _allowed(self, product_id: str) -> bool:
        product = self._held.products.get(product_id)
        return product is not None and product.for_sale

    def _title(self, product_id: str) -> str:
        product = self._held.products.get(product_id)
        return product.title if product and product.title else "this"

    def _category(self, product_id: str) -> str | None:
        product = self._held.products.get(product_id)
        return product.category if product else None
