"""What stands on each shelf, the most wanted first: looked up for a list, not searched for."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence

from reco.domain.lists import Scored
from reco.domain.product import Product


class Shelves:
    """Made anew when products or the model change; a list takes from it no more than it shows."""

    def __init__(self, products: Mapping[str, Product], trending: Sequence[Scored]) -> None:
        wanted = [(id, score) for id, score in trending if id in products]
        known = {id for id, _ in wanted}
        # What nobody has looked at yet follows, the newest first, so that a new shop has shelves too.
        new = [(id, 0.0) for id in sorted(products, reverse=True) if id not in known]
        self._all, self._wanted = [*wanted, *new], len(wanted)
        self._places: dict[str, list[int]] = {}
        for place, (id, _) in enumerate(self._all):
            for shelf in {products[id].category, *products[id].categories}:
                self._places.setdefault(shelf, []).append(place)

    def all(self) -> Sequence[Scored]:
        return self._all

    def of(self, category: str) -> Iterator[Scored]:
        """What is in this category, or in one below it."""
        return (self._all[place] for place in self._places.get(category, ()))

    def wanted(self, categories: Iterable[str]) -> Iterator[Scored]:
        """What of these is wanted, each product perhaps several times."""
        for place in heapq.merge(*(self._places.get(one, ()) for one in categories)):
            if place >= self._wanted:
                return
            yield self._all[place]
