"""Conversion of interactions to arrays, one matrix for each kind of list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from reco.domain import Interaction
from reco.engine.interactions import InteractionArrays

Kinds = tuple[tuple[str, float], ...]
# The kinds of owners of each list with their initial weights; the first kind stays at 1.
SIMILAR: Kinds = (("session", 1.0), ("user", 0.0))
TOGETHER: Kinds = (("session", 1.0), ("user", 0.5))
PERSONAL: Kinds = (("user", 1.0), ("session", 0.0))


def to_arrays(
    interactions: Sequence[Interaction],
    products: dict[str, int],
    people: dict[str, int],
    *,
    dense: bool = True,
) -> InteractionArrays:
    """Convert interactions to arrays; `products` gives their numbers, `people` is extended."""
    visits: dict[str, int] = {}
    count = len(interactions)
    session, user = np.full(count, -1, dtype=np.int32), np.full(count, -1, dtype=np.int32)
    for place, one in enumerate(interactions):
        if one.visit:
            session[place] = visits.setdefault(one.visit, len(visits))
        if one.person:
            user[place] = people.setdefault(one.person, len(people))
    return InteractionArrays(
        product=np.array([products[one.product_id] for one in interactions], dtype=np.int32),
        time=np.array([one.at.timestamp() for one in interactions], dtype=np.float64),
        weight=np.array([one.weight for one in interactions], dtype=np.float32),
        owners={"session": session, "user": user},
        products=len(products),
        dense=dense,
    )


def purchases(all_: InteractionArrays) -> InteractionArrays:
    """Return only the purchases, each with the same weight."""
    bought = all_.only(all_.weight >= 5.0)
    bought.weight[:] = 1.0
    return bought


def catalogue(interactions: Iterable[Interaction]) -> dict[str, int]:
    """Assign numbers to the products in the order of their names."""
    return {name: place for place, name in enumerate(sorted({one.product_id for one in interactions}))}


def split(
    interactions: Sequence[Interaction], share: float = 0.1
) -> tuple[list[Interaction], list[Interaction]]:
    """Split by time into (older visits, the newest `share` of the visits)."""
    last: dict[str, float] = {}
    for one in interactions:
        if one.visit:
            last[one.visit] = max(last.get(one.visit, 0.0), one.at.timestamp())
    newest = set(sorted(last, key=lambda visit: (last[visit], visit))[len(last) - int(len(last) * share) :])
    older = [one for one in interactions if one.visit not in newest]
    return older, [one for one in interactions if one.visit in newest]
