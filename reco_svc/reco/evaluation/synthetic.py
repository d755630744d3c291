"""Synthetic shoppers with tastes: for speed and memory only, never for quality."""

from __future__ import annotations

import numpy as np

from reco.engine.interactions import DAY, InteractionArrays

SEED = 7
TASTES = 50
FAITHFUL = 0.7  # share of a person's interactions within their taste
BATCH = 1_000_000


def shoppers(events: int, products: int, people: int, seed: int = SEED) -> InteractionArrays:
    """Generate interactions: log-normal activity (sigma 1), Zipf popularity (0.8), even over a year."""
    draw = np.random.default_rng(seed)
    activity = np.cumsum(draw.lognormal(0.0, 1.0, people))
    taste_of_product = draw.integers(0, TASTES, products)
    order = np.argsort(taste_of_product, kind="stable")
    popularity = np.cumsum(draw.permutation(np.arange(1, products + 1) ** -0.8)[order])
    edges = np.concatenate([[0.0], popularity])[
        np.searchsorted(taste_of_product[order], np.arange(TASTES + 1))
    ]
    taste = draw.integers(0, TASTES, people)
    user, product = np.empty(events, dtype=np.int32), np.empty(events, dtype=np.int32)
    for start in range(0, events, BATCH):
        size = min(BATCH, events - start)
        who = np.minimum(np.searchsorted(activity, draw.random(size) * activity[-1]), people - 1)
        faithful = draw.random(size) < FAITHFUL
        low = np.where(faithful, edges[taste[who]], 0.0)
        high = np.where(faithful, edges[taste[who] + 1], popularity[-1])
        place = np.searchsorted(popularity, low + draw.random(size) * (high - low))
        user[start : start + size] = who
        product[start : start + size] = order[np.minimum(place, products - 1)]
    time = np.linspace(0.0, 365 * DAY, events)
    return InteractionArrays(product, time, np.ones(events, dtype=np.float32), {"user": user}, products)
