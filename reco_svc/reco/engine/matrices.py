"""From what people did to the ratings that a question needs: one matrix per question."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from reco.domain import Interaction

MAX_HISTORY = 200  # products per owner; the cost of a fit is the square of it, and bots have thousands

Ratings = dict[tuple[str, str], float]


def visits(interactions: Iterable[Interaction]) -> Ratings:
    """Also viewed: who looked at what in one visit, the strongest thing done counts, damped."""
    ratings: Ratings = {}
    for one in interactions:
        if one.visit and one.weight:
            key = (one.visit, one.product_id)
            ratings[key] = max(ratings.get(key, 0.0), math.sqrt(one.weight))
    return capped(ratings)


def baskets(interactions: Iterable[Interaction]) -> Ratings:
    """Bought together: one visit's purchases, blended with all that a buyer ever bought (at half)."""
    ratings: Ratings = {}
    for one in interactions:
        if one.type != "purchase":
            continue
        for owner, weight in ((one.visit, 1.0), (one.person, 0.5)):
            if owner:
                key = (f"{weight}/{owner}", one.product_id)
                ratings[key] = weight
    return capped(ratings)


def capped(ratings: Ratings) -> Ratings:
    """Without owners of one product only (they say nothing of pairs) or of more than any person has."""
    sizes = Counter(owner for owner, _ in ratings)
    return {key: weight for key, weight in ratings.items() if 2 <= sizes[key[0]] <= MAX_HISTORY}


def split(
    interactions: Sequence[Interaction], share: float = 0.1
) -> tuple[list[Interaction], list[Interaction]]:
    """By time: (older visits, the newest `share` of the visits)."""
    last: dict[str, float] = {}
    for one in interactions:
        if one.visit:
            last[one.visit] = max(last.get(one.visit, 0.0), one.at.timestamp())
    newest = set(sorted(last, key=lambda visit: (last[visit], visit))[len(last) - int(len(last) * share) :])
    older = [one for one in interactions if one.visit not in newest]
    return older, [one for one in interactions if one.visit in newest]
