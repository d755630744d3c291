"""What is wanted most of late."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from reco.domain.history import Interaction
from reco.domain.lists import Scored

HALF_LIFE = timedelta(days=7)


def trending(interactions: Iterable[Interaction], now: datetime) -> list[Scored]:
    """Weighted interest per product, halved every week; the most wanted first."""
    scores: dict[str, float] = {}
    for one in interactions:
        age = max(now - one.at, timedelta()) / HALF_LIFE
        scores[one.product_id] = scores.get(one.product_id, 0.0) + one.weight * 0.5**age
    rounded = ((product, round(score, 6)) for product, score in scores.items())
    return sorted(rounded, key=lambda scored: (-scored[1], scored[0]))
