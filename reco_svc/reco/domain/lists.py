"""Lists of products: how they are held, added up and cut to what may be shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import inf

Scored = tuple[str, float]
Weighted = tuple[float, Sequence[Scored]]
NEIGHBOURS = 50  # kept in each trained list
AT_ONCE = 50  # of a list that is added up: about as many are looked at


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


def added(lists: Iterable[Weighted]) -> Iterator[Scored]:
    """Weighted lists added up, the best first; of equals the first by name."""
    total: dict[str, float] = {}
    held = total.get
    for weight, scored in lists:
        for product, score in scored:
            total[product] = held(product, 0.0) + weight * score
    # Of thousands a dozen are wanted: the others are put in order only when they are asked for.
    most = sorted(total.values(), reverse=True)
    least = most[AT_ONCE] if len(most) > AT_ONCE else -inf
    yield from _in_order(pair for pair in total.items() if pair[1] >= least)
    yield from _in_order(pair for pair in total.items() if pair[1] < least)


def _in_order(scored: Iterable[Scored]) -> list[Scored]:
    return sorted(scored, key=lambda pair: (-pair[1], pair[0]))


def givers(lists: Iterable[Weighted], products: Iterable[str]) -> dict[str, int]:
    """Of these products the place of the list that gave most; left out are those that none gave any."""
    most = dict.fromkeys(products, 0.0)
    found: dict[str, int] = {}
    for place, (weight, scored) in enumerate(lists):
        for product, score in scored:
            if product in most and weight * score > most[product]:
                most[product], found[product] = weight * score, place
    return found


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
