"""Lists for shoppers, from the served model in memory, filtered by what is on sale."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Protocol

from reco import domain
from reco.domain import Because, CategoryRanking, Interaction, Lists, Product, Scored

Source = tuple[Iterable[Scored], Because, str]  # products, cause, algorithm
CANDIDATES = 500  # of a category, compared by content


class RecentEvents(Protocol):
    """Interactions since the model's training (`reco.recent_events`)."""

    def history(
        self, people: Iterable[str], since: Callable[[str], datetime | None]
    ) -> list[Interaction]: ...

    def neighbours(self, product: str) -> list[Scored]: ...


class Snapshot(Protocol):
    """The state that the process holds in memory; `serving_state.py` keeps it fresh."""

    version: str | None
    algorithm: str
    trained_at: datetime | None
    lists: Lists
    products: Mapping[str, Product]
    ranking: CategoryRanking
    forgotten: dict[str, datetime]
    recent_events: RecentEvents


@dataclass(frozen=True, slots=True)
class Suggestion:
    product_id: str
    score: float
    because: Because

    @property
    def reason(self) -> str:
        """Return the cause in a shopper's words."""
        return self.because.sentence


@dataclass(frozen=True, slots=True)
class RecommendationList:
    results: list[Suggestion]
    algorithm: str
    version: str | None = None
    trained_at: datetime | None = None
    extra: dict[str, str] = field(default_factory=dict)


class Recommendations:
    """The four lists.

    `consumable` are slugs of categories whose products are bought again, and may be shown to owners.
    """

    def __init__(self, *, snapshot: Snapshot, consumable: frozenset[str] = frozenset()) -> None:
        self._snapshot, self._consumable = snapshot, consumable

    def similar(self, product_id: str, *, limit: int) -> RecommendationList:
        """List what goes with a product: its neighbours, similar content, or its category."""
        near = self._near(self._snapshot.lists.similar, product_id)
        return self._build_list(near, self._because("viewed_with", product_id), [product_id], limit)

    def together(self, product_ids: Sequence[str], *, limit: int) -> RecommendationList:
        """List what goes with a basket: bought together, then viewed together."""
        lists = self._snapshot.lists
        near = [(1.0, lists.together.get(product, [])) for product in product_ids]
        near += [(0.5, self._near(lists.similar, product)) for product in product_ids]
        return self._build_list(domain.merge_weighted(near), Because("basket"), product_ids, limit)

    def for_you(self, people: Sequence[str], *, limit: int) -> RecommendationList:
        """List personal recommendations by a recency-weighted history, recent events first.

        Without a history it is the trending list, and `algorithm` says so.
        """
        lists = self._snapshot.lists
        recent_events = self._snapshot.recent_events.history(people, self._snapshot.forgotten.get)
        taste = domain.with_recent(recent_events, domain.history_of(lists, self._without_forgotten(people)))
        if not taste:
            return self.trending(category=None, limit=limit)
        history = [product for product, _ in taste]
        neighbours = lists.personal or lists.similar  # an older model without personal lists
        near = [(weight, self._near(neighbours, product)) for product, weight in taste]
        bought = self._bought(people, recent_events)
        exclude = self._not_bought_again(bought) | set(history[:5])
        chosen = domain.filter_visible(domain.merge_weighted(near), self._allowed, exclude, limit)
        explanations = domain.explanations(near, (product for product, _ in chosen))
        causes = [self._because("bought" if one in bought else "viewed", one) for one in history]
        found = [Suggestion(p, round(s, 6), causes[explanations.get(p, 0)]) for p, s in chosen]
        return self._fill(found, self._cold_start_chain(history), exclude, limit)

    def _because(self, kind: str, product_id: str) -> Because:
        return Because(kind, product_id, self._title(product_id))

    def _cold_start_chain(self, history: Sequence[str]) -> Iterator[Source]:
        """Fill personal lists with trending products of the viewed categories, similar ones, bestsellers."""
        categories = list(dict.fromkeys(filter(None, map(self._category, history[:5]))))
        yield self._snapshot.ranking.wanted(categories), Because("trending_in_category"), "trending"
        for product in history[:3]:
            yield self._similar_content(product), self._because("like_viewed", product), "trending"
        yield self._popular(None), Because("trending"), "trending"

    def _near(self, neighbours: Mapping[str, list[Scored]], product: str) -> list[Scored]:
        """Add up the trained neighbours and those since the training."""
        trained, fresh = neighbours.get(product, []), self._snapshot.recent_events.neighbours(product)
        if not fresh:
            return trained
        return list(domain.merge_weighted([(1.0, trained), (1.0, fresh)]))

    def _without_forgotten(self, people: Sequence[str]) -> list[str]:
        return [person for person in people if person not in self._snapshot.forgotten]

    def _bought(self, people: Sequence[str], recent_events: Sequence[Interaction]) -> set[str]:
        owned = self._snapshot.lists.owned
        trained = {product for person in self._without_forgotten(people) for product in owned.get(person, [])}
        return trained | {one.product_id for one in recent_events if one.type == "purchase"}

    def _not_bought_again(self, bought: set[str]) -> set[str]:
        held = self._snapshot.products
        return {
            id for id in bought if id not in held or not any(map(held[id].is_in_category, self._consumable))
        }

    def _similar_content(self, product_id: str) -> list[Scored]:
        """Rank products of the same category by the likeness of title and brand."""
        product = self._snapshot.products.get(product_id)
        if product is None:
            return []
        category = islice(self._popular(product.category), CANDIDATES)
        alike = ((id, float(product.likeness(self._snapshot.products[id]))) for id, _ in category)
        found = [(id, score) for id, score in alike if score > 0 and id != product_id]
        return sorted(found, key=lambda pair: -pair[1])

    def trending(self, *, category: str | None, limit: int) -> RecommendationList:
        """List trending products, of all or of one category and those below it."""
        scored = self._popular(category)
        chosen = domain.filter_visible(scored, self._allowed, set(), limit)
        return self._result([Suggestion(p, s, Because("trending")) for p, s in chosen], "trending")

    def _build_list(
        self, scored: Iterable[Scored], because: Because, asked: Sequence[str], limit: int
    ) -> RecommendationList:
        """List neighbours, then similar content, then the most wanted of the category."""
        exclude, first = set(asked), asked[0] if asked else ""
        chosen = domain.filter_visible(scored, self._allowed, exclude, limit)
        found = [Suggestion(p, round(s, 6), because) for p, s in chosen]
        return self._fill(found, self._content_chain(first), exclude, limit)

    def _content_chain(self, product: str) -> Iterator[Source]:
        yield self._similar_content(product), self._because("like", product), "content"
        yield self._popular(self._category(product)), Because("popular_in_category"), "popularity"

    def _fill(
        self, found: list[Suggestion], chain: Iterator[Source], exclude: set[str], limit: int
    ) -> RecommendationList:
        """Fill a list up to the limit from the sources in turn, with scores of 0.

        Their scores are of another kind. The list's algorithm is the first one that contributed.
        """
        algorithm = self._snapshot.algorithm if found else ""
        while len(found) < limit and (source := next(chain, None)):
            scored, because, name = source
            taken = exclude | {one.product_id for one in found}
            more = domain.filter_visible(scored, self._allowed, taken, limit - len(found))
            found += [Suggestion(p, 0.0, because) for p, _ in more]
            algorithm = algorithm or (name if more else "")
        return self._result(found, algorithm or "popularity")

    def _popular(self, category: str | None) -> Iterable[Scored]:
        """Return a category's products, or all: the trending ones first, then those without interactions."""
        ranking = self._snapshot.ranking
        return ranking.all() if category is None else ranking.of(category)

    def _result(self, results: list[Suggestion], algorithm: str | None = None) -> RecommendationList:
        held = self._snapshot
        return RecommendationList(results, algorithm or held.algorithm, held.version, held.trained_at)

    def _allowed(self, product_id: str) -> bool:
        product = self._snapshot.products.get(product_id)
        return product is not None and product.for_sale

    def _title(self, product_id: str) -> str:
        product = self._snapshot.products.get(product_id)
        return product.title if product and product.title else "this"

    def _category(self, product_id: str) -> str | None:
        product = self._snapshot.products.get(product_id)
        return product.category if product else None
