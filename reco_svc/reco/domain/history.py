"""What people did, and how much of it still says something."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from reco.domain.lists import Lists, Scored

# How much a kind of event says about taste. An assumption to start from (design: reco.md, Model).
WEIGHTS = {"view": 1.0, "click": 1.0, "add_to_cart": 3.0, "purchase": 5.0}
HISTORY = 50
RECENCY = 0.9  # each older thing of a history counts a tenth less


@dataclass(frozen=True, slots=True)
class Interaction:
    """One thing that somebody did with a product."""

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
        """Whose taste it tells of: the account where it is known, else the session."""
        return f"user:{self.user}" if self.user else self.visit

    @property
    def visit(self) -> str | None:
        """What belongs together in time: the session, else the account's day."""
        if self.session:
            return f"session:{self.session}"
        return f"user:{self.user}:{self.at:%Y-%m-%d}" if self.user else None


def histories(interactions: Sequence[Interaction]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """`(what each person looked at, what each bought)`, the newest first, each product once."""
    seen: dict[str, list[str]] = {}
    owned: dict[str, list[str]] = {}
    for one in sorted(interactions, key=lambda i: i.at, reverse=True):
        for person in {one.person, one.visit} - {None}:
            book = seen.setdefault(str(person), [])
            if one.product_id not in book and len(book) < HISTORY:
                book.append(one.product_id)
            if one.type == "purchase":
                owned.setdefault(str(person), []).append(one.product_id)
    return seen, owned


def history_of(lists: Lists, people: Iterable[str]) -> list[Scored]:
    """What these people did and how much it still says, the one who is named first before the others."""
    found: list[Scored] = []
    for person in people:
        book = lists.histories.get(person, [])
        weights = lists.tastes.get(person) or recency_weights(len(book))
        found += zip(book, weights, strict=False)
    return found


def with_live(live: Sequence[Interaction], trained: Sequence[Scored]) -> list[Scored]:
    """One history, each product once: what just happened, the newest first, before what training knows."""
    fresh = list(dict.fromkeys(one.product_id for one in live))[:HISTORY]
    found = dict(zip(fresh, recency_weights(len(fresh)), strict=True))
    fade = RECENCY ** len(fresh)
    for product, weight in trained:
        found.setdefault(product, fade * weight)
    return list(found.items())[:HISTORY]


def recency_weights(count: int) -> list[float]:
    return [RECENCY**place for place in range(count)]
