"""Lists of products: how they are held, added up and cut to what may be shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

Scored = tuple[str, float]
NEIGHBOURS = 50  # kept in each trained list


@dataclass(slots=True)
class Lists:
    """A trained model as it is served.

    `similar[p]`, `together[p]` and `personal[p]` (what a history that holds p speaks for): (product, score),
    the best first. `tastes[person]`: how much each place of `histories[person]` still says.
    """

    similar: Mapping[str, list[Scored]] = field(default_factory=dict)
    together: Mapping[str, list[Scored]] = field(default_factory=dict)
    trending: list[Scored] = field(default_factory=list)
    histories: Mapping[str, list[str]] = field(default_factory=dict)
    personal: Mapping[str, list[Scored]] = field(default_factory=dict)
    tastes: Mapping[str, list[float]] = field(default_factory=dict)
    owned: Mapping[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Served:
    """The lists that are served, and until when they have learned."""

    lists: Lists
    trained_at: datetime


def blend(lists: Iterable[tuple[float, Sequence[Scored]]]) -> list[tuple[str, float, int]]:
    """Adds weighted lists up: (product, score, place of the list that gave most), the best first."""
    total: dict[str, float] = {}
    best: dict[str, tuple[float, int]] = {}
    for place, (weight, scored) in enumerate(lists):
        for product, score in scored:
            share = weight * score
            total[product] = total.get(product, 0.0) + share
            if share > best.get(product, (0.0, 0))[0]:
                best[product] = (share, place)
    ranked = sorted(total.items(), key=lambda pair: (-pair[1], pair[0]))
    return [(product, score, best[product][1]) for product, score in ranked]


def showable(
    scored: Iterable[Scored], allowed: Callable[[str], bool], exclude: set[str], limit: int
) -> list[Scored]:
    """The first `limit` of a list that may be shown, each once."""
    chosen: dict[str, float] = {}
    for product, score in scored:
        if product not in exclude and product not in chosen and allowed(product):
            chosen[product] = score
            if len(chosen) == limit:
                break
    return list(chosen.items())
