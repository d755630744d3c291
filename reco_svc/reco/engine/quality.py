"""Quality of neighbour lists: NDCG@10, hit rate and coverage on visits that the fit has not seen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, stdev

from reco.domain import Comparison, Interaction, Quality, Scored

Near = Mapping[str, Sequence[Scored]]
Query = tuple[str, set[str]]  # the viewed product and its targets


def measure(lists: Near, visits: Sequence[Interaction], catalogue: set[str]) -> Quality:
    """Measure lists by visits: the first product is the query, the others are the targets.

    Full ranking, binary gain, ideal over min(10, targets) (Järvelin and Kekäläinen 2002).
    """
    return _quality(lists, _queries(visits), catalogue)[0]


def compare(ours: Near, theirs: Near, visits: Sequence[Interaction], catalogue: set[str]) -> Comparison:
    """Measure both, and the mean and standard error of their difference by visit."""
    asked = _queries(visits)
    (mine, my_gains), (served, their_gains) = (_quality(one, asked, catalogue) for one in (ours, theirs))
    if len(asked) < 2:
        return Comparison(mine, served)
    differences = [one - other for one, other in zip(my_gains, their_gains, strict=True)]
    error = stdev(differences) / math.sqrt(len(differences))
    return Comparison(mine, served, difference=round(fmean(differences), 6), error=round(error, 6))


def _quality(lists: Near, asked: Sequence[Query], catalogue: set[str]) -> tuple[Quality, list[float]]:
    """Return the quality, and the NDCG@10 of each query."""
    gains: list[float] = []
    hits = 0
    shown: set[str] = set()
    for query, targets in asked:
        ranked = [product for product, _ in lists.get(query, ())[:10]]
        shown.update(ranked)
        found = [1.0 / math.log2(place + 2) for place, product in enumerate(ranked) if product in targets]
        ideal = sum(1.0 / math.log2(place + 2) for place in range(min(10, len(targets))))
        gains.append(sum(found) / ideal)
        hits += bool(found)
    if not gains:
        return Quality(visits=0), gains
    return Quality(
        ndcg_at_10=round(fmean(gains), 4),
        hit_rate_at_10=round(hits / len(gains), 4),
        coverage=round(len(shown) / max(1, len(catalogue)), 4),
        visits=len(gains),
    ), gains


def _queries(visits: Sequence[Interaction]) -> list[Query]:
    things: dict[str, dict[str, None]] = {}
    for one in sorted(visits, key=lambda i: (i.at, i.product_id)):
        if one.visit:
            things.setdefault(one.visit, {})[one.product_id] = None
    asked = [list(products) for products in things.values() if len(products) > 1]
    return [(products[0], set(products[1:])) for products in asked]
