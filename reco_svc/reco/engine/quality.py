"""How good lists are: NDCG@10, hit rate and coverage on visits that the fit has not seen."""

from __future__ import annotations

import math
from collections.abc import Sequence

from reco.domain import Interaction, Quality, Scored


def measure(lists: dict[str, list[Scored]], visits: Sequence[Interaction], catalogue: set[str]) -> Quality:
    """First product of each visit asks, the others are the targets; full ranking, binary gain,
    ideal over min(10, targets) (Järvelin and Kekäläinen 2002)."""
    ndcg = hits = count = 0.0
    shown: set[str] = set()
    for query, targets in _questions(visits):
        ranked = [product for product, _ in lists.get(query, ())[:10]]
        shown.update(ranked)
        gains = [1.0 / math.log2(place + 2) for place, product in enumerate(ranked) if product in targets]
        ideal = sum(1.0 / math.log2(place + 2) for place in range(min(10, len(targets))))
        ndcg, hits, count = ndcg + sum(gains) / ideal, hits + bool(gains), count + 1
    if not count:
        return Quality(visits=0)
    return Quality(
        ndcg_at_10=round(ndcg / count, 4),
        hit_rate_at_10=round(hits / count, 4),
        coverage=round(len(shown) / max(1, len(catalogue)), 4),
        visits=int(count),
    )


def _questions(visits: Sequence[Interaction]) -> list[tuple[str, set[str]]]:
    things: dict[str, dict[str, None]] = {}
    for one in sorted(visits, key=lambda i: (i.at, i.product_id)):
        if one.visit:
            things.setdefault(one.visit, {})[one.product_id] = None
    asked = [list(products) for products in things.values() if len(products) > 1]
    return [(products[0], set(products[1:])) for products in asked]
