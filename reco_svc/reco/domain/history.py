"""Interactions of shoppers, and the weights of their histories."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from reco.domain.lists import Lists, Scored

# The weight of each type of event as a sign of taste; an initial assumption.
WEIGHTS = {"view": 1.0, "click": 1.0, "add_to_cart": 3.0, "purchase": 5.0}
HISTORY = 50
RECENCY = 0.9  # each older product of a history counts a tenth less


@dataclass(frozen=True, slots=True)
class Interaction:
    """One interaction of a shopper with a product."""

    type: str
    product_id: str
    at: datetime
    user: str | None = None
    session: str | None = None

    @property
    def weight(self) -> float:
        return WEIGHTS.get(self.type, 0.0)

    @property
    def person(self) -> str | None:
        """The account if it is known, else the visit."""
        return f"user:{self.user}" if self.user else self.visit

    @property
    def visit(self) -> str | None:
        """The session, else the account's day."""
        if self.session:
            return f"session:{self.session}"
        return f"user:{self.user}:{self.at:%Y-%m-%d}" if self.user else None


def histories(interactions: Sequence[Interaction]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return `(products seen, products bought)` by person, newest first, each seen product once."""
    seen: dict[str, list[str]] = {}
    owned: dict[str, list[str]] = {}
    for one in sorted(interactions, key=lambda i: i.at, reverse=True):
        for person in {one.person, one.visit} - {None}:
            products = seen.setdefault(str(person), [])
            if one.product_id not in products and len(products) < HISTORY:
                products.append(one.product_id)
            if one.type == "purchase":
                owned.setdefault(str(person), []).append(one.product_id)
    return seen, owned


def history_of(lists: Lists, people: Iterable[str]) -> list[Scored]:
    """Return these people's products with their weights; people named first come first."""
    found: list[Scored] = []
    for person in people:
        products = lists.histories.get(person, [])
        weights = lists.tastes.get(person) or recency_weights(len(products))
        found += zip(products, weights, strict=False)
    return found


def with_recent(recent: Sequence[Interaction], trained: Sequence[Scored]) -> list[Scored]:
    """Merge recent interactions, newest first, before the trained history, each product once."""
    fresh = list(dict.fromkeys(one.product_id for one in recent))[:HISTORY]
    found = dict(zip(fresh, recency_weights(len(fresh)), strict=True))
    fade = RECENCY ** len(fresh)
    for product, weight in trained:
        found.setdefault(product, fade * weight)
    return list(found.items())[:HISTORY]


def recency_weights(count: int) -> list[float]:
    return [RECENCY**place for place in range(count)]
