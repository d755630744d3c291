"""Category rankings: the products of each category, most wanted first, precomputed for lookups."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence

from reco.domain.lists import Scored
from reco.domain.product import Product


class CategoryRanking:
    """The ranking of all products and of each category, rebuilt when products or the model change.

    A list reads no more of it than it shows.
    """

    def __init__(self, products: Mapping[str, Product], trending: Sequence[Scored]) -> None:
        wanted = [(id, score) for id, score in trending if id in products]
        known = {id for id, _ in wanted}
        # Products without interactions follow, newest first, so that a new shop has rankings too.
        new = [(id, 0.0) for id in sorted(products, reverse=True) if id not in known]
        self._all, self._wanted = [*wanted, *new], len(wanted)
        self._places: dict[str, list[int]] = {}
        for place, (id, _) in enumerate(self._all):
            for category in {products[id].category, *products[id].categories}:
                self._places.setdefault(category, []).append(place)

    def all(self) -> Sequence[Scored]:
        return self._all

    def of(self, category: str) -> Iterator[Scored]:
        """Iterate over the products of a category and of those below it."""
        return (self._all[place] for place in self._places.get(category, ()))

    def wanted(self, categories: Iterable[str]) -> Iterator[Scored]:
        """Iterate over the trending products of these categories, each perhaps several times."""
        for place in heapq.merge(*(self._places.get(one, ()) for one in categories)):
            if place >= self._wanted:
                return
            yield self._all[place]
