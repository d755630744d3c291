"""Shelves that recommendations fill: each with a name for the events, the reasons, and the variant shown.

A shelf that cannot be filled is left out; no page waits longer for it than `SHELF_DEADLINE`.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chassis.siblings import Refused, SiblingDown
from shop.clients import Caller, Catalog, Json, Reco, Suggested
from shop.domain import products
from shop.recent import Recent

AWAY = (SiblingDown, Refused)
SIZE = 8
LEAST = 3  # cards of one reason that make a shelf of their own
_VIEWED = "because you viewed "


@dataclass(frozen=True, slots=True)
class Shelf:
    name: str
    title: str
    cards: list[Json]
    why: list[str]
    variant: str = ""
    mine: bool = False
    """Whether it is made of what this shopper did, and so may be begun anew."""


class Shelves:
    """`control`: percent of shoppers who get what everyone wants in place of a personal shelf, to compare."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        reco: Reco,
        nearby: Callable[[Mapping[str, Any]], list[Json]],
        locale: str,
        control: int = 0,
    ) -> None:
        """`nearby` gives cards to show beside a product when recommendations say nothing."""
        self._catalog, self._reco, self._locale, self._control = catalog, reco, locale, control
        self._nearby = nearby
        self._of_category: Recent[list[Suggested]] = Recent(fresh=15, keep=3_600, size=200)
        self._of_product: Recent[list[Shelf]] = Recent(fresh=30, keep=3_600, size=500)

    def goes_with(self, product: Mapping[str, Any]) -> list[Shelf]:
        """Things bought or looked at together with it; popular things of its category while reco is away."""
        id = str(product["id"])

        def fetch() -> list[Shelf]:
            found = [one for one in self._reco.similar(id, SIZE) if one.id != id]
            return self._made([("goes-with", "Goes well with", found)])

        try:
            found = self._of_product.get(id, fetch, failures=AWAY)
        except AWAY:
            found = []
        return found or self._popular_nearby(product)

    def _popular_nearby(self, product: Mapping[str, Any]) -> list[Shelf]:
        cards = self._nearby(product)
        why = [f"popular in {product['breadcrumbs'][-1]['title']}"] if cards else []
        return [Shelf("goes-with", "Goes well with", cards, why)] if cards else []

    def personal(self, who: Caller) -> list[Shelf]:
        """ "Because you viewed …" for the thing that most of it comes from, "Recommended for you" for all
        else. Shoppers of the control group get the trending things, under the same name."""
        variant = self.variant(who)
        try:
            if variant == "trending":
                return self._shelves([("for-you", "Recommended for you", self._reco.trending(SIZE))], variant)
            found = self._reco.for_you(who, 2 * SIZE)
        except AWAY:
            return []
        counts = Counter(one.why for one in found if one.why.startswith(_VIEWED))
        most, number = counts.most_common(1)[0] if counts else ("", 0)
        if number < LEAST and number != len(found):
            most = ""
        title = f"Because you viewed {most.removeprefix(_VIEWED)}"
        viewed = [one for one in found if most and one.why == most]
        others = [one for one in found if one not in viewed]
        wanted = [("because-viewed", title, viewed), ("for-you", "Recommended for you", others)]
        return self._shelves(wanted, variant, mine=True)

    def with_cart(self, product_ids: Sequence[str]) -> list[Shelf]:
        """What goes with these things together."""
        try:
            found = self._reco.together(product_ids, SIZE) if product_ids else []
        except AWAY:
            return []
        return self._shelves([("cart-goes-with", "Goes well with your cart", found)])

    def trending_in(self, category: str, title: str) -> list[Shelf]:
        """What many want just now of one category."""
        try:
            found = self._of_category.get(
                category, lambda: self._reco.trending(SIZE, category), failures=AWAY
            )
        except AWAY:
            return []
        return self._shelves([("trending-category", f"Trending in {title}", found)])

    def forget(self, who: Caller) -> None:
        """Raises `SiblingDown` when it could not be said."""
        self._reco.forget(who)

    def variant(self, who: Caller) -> str:
        """Of the comparison: always the same for one browser; who gave no consent is in none."""
        if not who.session_id:
            return ""
        place = int.from_bytes(hashlib.sha256(b"for-you:" + who.session_id.encode()).digest()[:4], "big")
        return "trending" if place % 100 < self._control else "personal"

    def _shelves(
        self, wanted: Sequence[tuple[str, str, Sequence[Suggested]]], variant: str = "", *, mine: bool = False
    ) -> list[Shelf]:
        """None while the catalogue is away."""
        try:
            return self._made(wanted, variant, mine=mine)
        except AWAY:
            return []

    def _made(
        self, wanted: Sequence[tuple[str, str, Sequence[Suggested]]], variant: str = "", *, mine: bool = False
    ) -> list[Shelf]:
        """Their cards fetched in one call; things that are no longer sold are left out. Raises `SiblingDown`,
        `Refused`.
        """
        ids = list(dict.fromkeys(one.id for _, _, found in wanted for one in found[:SIZE]))
        cards = {raw["id"]: products.card(raw, self._locale) for raw in self._catalog.cards(ids)}
        made = []
        for name, title, found in wanted:
            shown = [one for one in found[:SIZE] if one.id in cards]
            why = list(dict.fromkeys(one.why for one in shown if one.why))[:4]
            made.append(Shelf(name, title, [cards[one.id] for one in shown], why, variant, mine))
        return [shelf for shelf in made if shelf.cards]
