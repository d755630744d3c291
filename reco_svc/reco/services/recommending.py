"""Lists for shoppers: from the served model in memory, filtered by what is for sale now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Protocol

from reco import domain
from reco.domain import Interaction, Lists, Product, Scored, Shelves

Source = tuple[Iterable[Scored], str, str]  # products, the reason why, the name of the algorithm
CANDIDATES = 500  # of a shelf, that are looked at for likeness


class Live(Protocol):
    """What happened since the model's training (reco.live)."""

    def history(
        self, people: Iterable[str], since: Callable[[str], datetime | None]
    ) -> list[Interaction]: ...

    def near(self, product: str) -> list[Scored]: ...


class Snapshot(Protocol):
    """What the process holds in memory; `book.py` keeps it fresh."""

    version: str | None
    algorithm: str
    trained_at: datetime | None
    lists: Lists
    products: Mapping[str, Product]
    shelves: Shelves
    forgotten: dict[str, datetime]
    live: Live


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
    """`consumable`: slugs of categories whose things are bought again: they may be shown to owners."""

    def __init__(self, *, snapshot: Snapshot, consumable: frozenset[str] = frozenset()) -> None:
        self._held, self._consumable = snapshot, consumable

    def similar(self, product_id: str, *, limit: int) -> Answer:
        """What goes with a product: its neighbours, what is like it, or its shelf."""
        title = self._title(product_id)
        near = self._near(self._held.lists.similar, product_id)
        return self._answer(near, f"often looked at with {title}", [product_id], limit)

    def together(self, product_ids: Sequence[str], *, limit: int) -> Answer:
        """What goes with a basket: bought together, filled up by looked at together."""
        lists = self._held.lists
        near = [(1.0, lists.together.get(product, [])) for product in product_ids]
        near += [(0.5, self._near(lists.similar, product)) for product in product_ids]
        return self._answer(domain.added(near), "goes with your basket", product_ids, limit)

    def for_you(self, people: Sequence[str], *, limit: int) -> Answer:
        """A personal list by recency-weighted history, the live one first; without a history trending, and
        says so."""
        lists = self._held.lists
        live = self._held.live.history(people, self._held.forgotten.get)
        taste = domain.with_live(live, domain.history_of(lists, self._remembered(people)))
        if not taste:
            return self.trending(category=None, limit=limit)
        history = [product for product, _ in taste]
        book = lists.personal or lists.similar  # a model from before there were personal lists
        near = [(weight, self._near(book, product)) for product, weight in taste]
        bought = self._bought(people, live)
        exclude = self._not_bought_again(bought) | set(history[:5])
        chosen = domain.showable(domain.added(near), self._allowed, exclude, limit)
        givers = domain.givers(near, (product for product, _ in chosen))
        because = {product: history[givers.get(product, 0)] for product, _ in chosen}
        verb = {product: "bought" if product in bought else "viewed" for product in history}
        found = [
            Suggestion(p, round(s, 6), f"because you {verb[because[p]]} {self._title(because[p])}")
            for p, s in chosen
        ]
        return self._filled(found, self._cold_chain(history), exclude, limit)

    def _cold_chain(self, history: Sequence[str]) -> Iterator[Source]:
        """Where no model knows (enough of) a history: trending on its shelves, its like, bestsellers."""
        shelves = list(dict.fromkeys(filter(None, map(self._category, history[:5]))))
        yield self._held.shelves.wanted(shelves), "wanted by many on a shelf you looked at", "trending"
        for product in history[:3]:
            yield self._alike(product), f"like {self._title(product)}, which you viewed", "trending"
        yield self._popular(None), "wanted by many just now", "trending"

    def _near(self, book: Mapping[str, list[Scored]], product: str) -> list[Scored]:
        """The trained neighbours and those since the training, added up."""
        trained, fresh = book.get(product, []), self._held.live.near(product)
        if not fresh:
            return trained
        return list(domain.added([(1.0, trained), (1.0, fresh)]))

    def _remembered(self, people: Sequence[str]) -> list[str]:
        return [person for person in people if person not in self._held.forgotten]

    def _bought(self, people: Sequence[str], live: Sequence[Interaction]) -> set[str]:
        owned = self._held.lists.owned
        trained = {product for person in self._remembered(people) for product in owned.get(person, [])}
        return trained | {one.product_id for one in live if one.type == "purchase"}

    def _not_bought_again(self, bought: set[str]) -> set[str]:
        held = self._held.products
        return {id for id in bought if id not in held or not any(map(held[id].stands_on, self._consumable))}

    def _alike(self, product_id: str) -> list[Scored]:
        """By content: things of its shelf whose title and brand are like its own, the most alike first."""
        product = self._held.products.get(product_id)
        if product is None:
            return []
        shelf = islice(self._popular(product.category), CANDIDATES)
        alike = ((id, float(product.resembles(self._held.products[id]))) for id, _ in shelf)
        found = [(id, score) for id, score in alike if score > 0 and id != product_id]
        return sorted(found, key=lambda pair: -pair[1])

    def trending(self, *, category: str | None, limit: int) -> Answer:
        """The most wanted of late, all or of one category and what is below it."""
        scored = self._popular(category)
        chosen = domain.showable(scored, self._allowed, set(), limit)
        return self._made([Suggestion(p, s, "wanted by many just now") for p, s in chosen], "trending")

    def _answer(self, scored: Iterable[Scored], reason: str, asked: Sequence[str], limit: int) -> Answer:
        """Neighbours, and where they are too few content, then the most wanted of the shelf."""
        exclude, first = set(asked), asked[0] if asked else ""
        chosen = domain.showable(scored, self._allowed, exclude, limit)
        found = [Suggestion(p, round(s, 6), reason) for p, s in chosen]
        return self._filled(found, self._alike_chain(first), exclude, limit)

    def _alike_chain(self, product: str) -> Iterator[Source]:
        yield self._alike(product), f"like {self._title(product)}", "content"
        yield self._popular(self._category(product)), "popular on this shelf", "popularity"

    def _filled(
        self, found: list[Suggestion], chain: Iterator[Source], exclude: set[str], limit: int
    ) -> Answer:
        """Filled up to the limit from one source after the other, with scores of 0 as these are of another
        kind; named by the first that had something."""
        algorithm = self._held.algorithm if found else ""
        while len(found) < limit and (source := next(chain, None)):
            scored, reason, name = source
            taken = exclude | {one.product_id for one in found}
            more = domain.showable(scored, self._allowed, taken, limit - len(found))
            found += [Suggestion(p, 0.0, reason) for p, _ in more]
            algorithm = algorithm or (name if more else "")
        return self._made(found, algorithm or "popularity")

    def _popular(self, category: str | None) -> Iterable[Scored]:
        """Of a shelf, or of all: the most wanted first, then what nobody has looked at yet."""
        shelves = self._held.shelves
        return shelves.all() if category is None else shelves.of(category)

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
