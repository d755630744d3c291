"""Shelves of recommendations, with the reasons for them and the A/B variant shown.

A shelf that cannot be filled is left out; no page waits longer for it than `SHELF_DEADLINE`.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chassis.clients import Refused, ServiceUnavailable
from shop.clients import Caller, Catalog, Json, Reco, Recommendation
from shop.domain import products
from shop.stale_cache import StaleCache

UNAVAILABLE = (ServiceUnavailable, Refused)
SIZE = 8
MIN_SHELF_SIZE = 3  # cards of one reason that get a shelf of their own


@dataclass(frozen=True, slots=True)
class Shelf:
    """Row of cards; events use its name."""

    name: str
    title: str
    cards: list[Json]
    reasons: list[str]
    variant: str = ""
    mine: bool = False
    """True if it comes from this shopper's own history, which can be deleted."""


class ShelfService:
    """Use cases of recommendation shelves.

    `control` is the percentage of shoppers who get trending products in place of a personal shelf, to
    compare.
    """

    def __init__(
        self,
        *,
        catalog: Catalog,
        reco: Reco,
        popular_in_category: Callable[[Mapping[str, Any]], list[Json]],
        locale: str,
        control: int = 0,
    ) -> None:
        """Use `popular_in_category` as the fallback beside a product without recommendations."""
        self._catalog, self._reco, self._locale, self._control = catalog, reco, locale, control
        self._popular_in_category = popular_in_category
        self._of_category: StaleCache[list[Recommendation]] = StaleCache(fresh=15, max_stale=3_600, size=200)
        self._of_product: StaleCache[list[Shelf]] = StaleCache(fresh=30, max_stale=3_600, size=500)

    def related(self, product: Mapping[str, Any]) -> list[Shelf]:
        """Return products bought or viewed together with this one.

        While reco is unavailable these are popular products of its category.
        """
        id = str(product["id"])

        def fetch() -> list[Shelf]:
            found = [one for one in self._reco.similar(id, SIZE) if one.id != id]
            return self._fill([("goes-with", "Goes well with", found)])

        try:
            found = self._of_product.get(id, fetch, failures=UNAVAILABLE)
        except UNAVAILABLE:
            found = []
        return found or self._fallback(product)

    def _fallback(self, product: Mapping[str, Any]) -> list[Shelf]:
        cards = self._popular_in_category(product)
        reasons = [f"popular in {product['breadcrumbs'][-1]['title']}"] if cards else []
        return [Shelf("goes-with", "Goes well with", cards, reasons)] if cards else []

    def personal(self, caller: Caller) -> list[Shelf]:
        """Return "Because you viewed …" for the most frequent source, "Recommended for you" for the rest.

        Shoppers of the control group get trending products under the same name.
        """
        variant = self.variant(caller)
        try:
            if variant == "trending":
                return self._fill_or_none(
                    [("for-you", "Recommended for you", self._reco.trending(SIZE))], variant
                )
            found = self._reco.for_you(caller, 2 * SIZE)
        except UNAVAILABLE:
            return []
        counts = Counter((one.cause_id, one.cause_title) for one in found if one.kind == "viewed")
        (cause, cause_title), number = counts.most_common(1)[0] if counts else (("", ""), 0)
        if number < MIN_SHELF_SIZE and number != len(found):
            cause = ""
        title = f"Because you viewed {cause_title}"
        viewed = [one for one in found if cause and (one.kind, one.cause_id) == ("viewed", cause)]
        others = [one for one in found if one not in viewed]
        wanted = [("because-viewed", title, viewed), ("for-you", "Recommended for you", others)]
        return self._fill_or_none(wanted, variant, mine=True)

    def with_cart(self, product_ids: Sequence[str]) -> list[Shelf]:
        """Return products that go well with those in the cart."""
        try:
            found = self._reco.together(product_ids, SIZE) if product_ids else []
        except UNAVAILABLE:
            return []
        return self._fill_or_none([("cart-goes-with", "Goes well with your cart", found)])

    def trending_in_category(self, category: str, title: str) -> list[Shelf]:
        """Return trending products of one category."""
        try:
            found = self._of_category.get(
                category, lambda: self._reco.trending(SIZE, category), failures=UNAVAILABLE
            )
        except UNAVAILABLE:
            return []
        return self._fill_or_none([("trending-category", f"Trending in {title}", found)])

    def forget(self, caller: Caller) -> None:
        """Delete the interactions of the caller; raises `ServiceUnavailable`."""
        self._reco.forget(caller)

    def variant(self, caller: Caller) -> str:
        """Return the A/B variant, the same for one browser; empty without consent."""
        if not caller.session_id:
            return ""
        place = int.from_bytes(hashlib.sha256(b"for-you:" + caller.session_id.encode()).digest()[:4], "big")
        return "trending" if place % 100 < self._control else "personal"

    def _fill_or_none(
        self,
        wanted: Sequence[tuple[str, str, Sequence[Recommendation]]],
        variant: str = "",
        *,
        mine: bool = False,
    ) -> list[Shelf]:
        """Fill the shelves; return none while the catalogue is unavailable."""
        try:
            return self._fill(wanted, variant, mine=mine)
        except UNAVAILABLE:
            return []

    def _fill(
        self,
        wanted: Sequence[tuple[str, str, Sequence[Recommendation]]],
        variant: str = "",
        *,
        mine: bool = False,
    ) -> list[Shelf]:
        """Fetch the cards of all shelves in one call, without products that are no longer sold.

        Raises `ServiceUnavailable` and `Refused`.
        """
        ids = list(dict.fromkeys(one.id for _, _, found in wanted for one in found[:SIZE]))
        cards = {raw["id"]: products.present_card(raw, self._locale) for raw in self._catalog.cards(ids)}
        made = []
        for name, title, found in wanted:
            shown = [one for one in found[:SIZE] if one.id in cards]
            reasons = list(dict.fromkeys(one.reason for one in shown if one.reason))[:4]
            made.append(Shelf(name, title, [cards[one.id] for one in shown], reasons, variant, mine))
        return [shelf for shelf in made if shelf.cards]
