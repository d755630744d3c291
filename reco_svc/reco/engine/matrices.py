"""From what people did to the arrays that each question needs: one matrix per question."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from reco.domain import Interaction
from reco.engine.deeds import Deeds

Kinds = tuple[tuple[str, float], ...]
# Of each question the owners whose rows count, the first kind at 1, the others at a share to begin with.
SIMILAR: Kinds = (("session", 1.0), ("user", 0.0))
TOGETHER: Kinds = (("session", 1.0), ("user", 0.5))
PERSONAL: Kinds = (("user", 1.0), ("session", 0.0))


def deeds(
    interactions: Sequence[Interaction],
    products: dict[str, int],
    people: dict[str, int],
    *,
    dense: bool = True,
) -> Deeds:
    """Arrays of these interactions. Numbers of products are given, those of people are added to `people`."""
    visits: dict[str, int] = {}
    count = len(interactions)
    session, user = np.full(count, -1, dtype=np.int32), np.full(count, -1, dtype=np.int32)
    for place, one in enumerate(interactions):
        if one.visit:
            session[place] = visits.setdefault(one.visit, len(visits))
        if one.person:
            user[place] = people.setdefault(one.person, len(people))
    return Deeds(
        product=np.array([products[one.product_id] for one in interactions], dtype=np.int32),
        time=np.array([one.at.timestamp() for one in interactions], dtype=np.float64),
        weight=np.array([one.weight for one in interactions], dtype=np.float32),
        owners={"session": session, "user": user},
        products=len(products),
        dense=dense,
    )


def purchases(all_: Deeds) -> Deeds:
    """Only what was bought, as the strongest thing that can be done; each counts the same."""
    bought = all_.only(all_.weight >= 5.0)
    bought.weight[:] = 1.0
    return bought


def catalogue(interactions: Iterable[Interaction]) -> dict[str, int]:
    """A number per product, in the order of the names."""
    return {name: place for place, name in enumerate(sorted({one.product_id for one in interactions}))}


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
