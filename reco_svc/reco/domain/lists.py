"""Lists of scored products: how they are stored, merged and filtered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import inf

Scored = tuple[str, float]
Weighted = tuple[float, Sequence[Scored]]
NEIGHBOURS = 50  # entries of each trained list
SORTED_FIRST = 50  # of a merged list: about as many are read


@dataclass(slots=True)
class Lists:
    """The lists of a trained model.

    `similar[p]`, `together[p]` and `personal[p]` (for histories that contain p) are (product, score) pairs,
    the best first. `tastes[person]` holds the weight of each place of `histories[person]`.
    """

    similar: Mapping[str, list[Scored]] = field(default_factory=dict)
    together: Mapping[str, list[Scored]] = field(default_factory=dict)
    trending: list[Scored] = field(default_factory=list)
    histories: Mapping[str, list[str]] = field(default_factory=dict)
    personal: Mapping[str, list[Scored]] = field(default_factory=dict)
    tastes: Mapping[str, list[float]] = field(default_factory=dict)
    owned: Mapping[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ServedModel:
    """The served lists, and the time of their training."""

    lists: Lists
    trained_at: datetime


def merge_weighted(lists: Iterable[Weighted]) -> Iterator[Scored]:
    """Add up weighted lists, the best first; equal scores are ordered by name."""
    total: dict[str, float] = {}
    held = total.get
    for weight, scored in lists:
        for product, score in scored:
            total[product] = held(product, 0.0) + weight * score
    # Of thousands a dozen are needed: the others are sorted only on demand.
    most = sorted(total.values(), reverse=True)
    least = most[SORTED_FIRST] if len(most) > SORTED_FIRST else -inf
    yield from _in_order(pair for pair in total.items() if pair[1] >= least)
    yield from _in_order(pair for pair in total.items() if pair[1] < least)


def _in_order(scored: Iterable[Scored]) -> list[Scored]:
    return sorted(scored, key=lambda pair: (-pair[1], pair[0]))


def explanations(lists: Iterable[Weighted], products: Iterable[str]) -> dict[str, int]:
    """Return for each product the place of the list that contributed most to its score.

    Products without any contribution are left out.
    """
    most = dict.fromkeys(products, 0.0)
    found: dict[str, int] = {}
    for place, (weight, scored) in enumerate(lists):
        for product, score in scored:
            if product in most and weight * score > most[product]:
                most[product], found[product] = weight * score, place
    return found


def filter_visible(
    scored: Iterable[Scored], allowed: Callable[[str], bool], exclude: set[str], limit: int
) -> list[Scored]:
    """Return the first `limit` products that may be shown, each once."""
    chosen: dict[str, float] = {}
    for product, score in scored:
        if product not in exclude and product not in chosen and allowed(product):
            chosen[product] = score
            if len(chosen) == limit:
                break
    return list(chosen.items())
