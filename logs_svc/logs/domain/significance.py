"""Confidence intervals of rates, and of the difference between two rates.

Impressions of one visitor are not independent: whoever clicks once clicks again. Rates are therefore judged
by how they differ between buckets of visitors (the delta method: Deng, Knoblich, Lu 2018, arXiv:1803.06336).
That gives the effective number of independent impressions. Wilson's score interval (1927), which holds for
small rates too, is taken with this number, and for a difference Newcombe's interval (1998, method 10) of two
of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

#: The count of each step in a bucket; the first step is the denominator of the others.
Bucket = tuple[int, ...]

#: Student's t for 95 % and 19 degrees of freedom, of 20 buckets (the normal distribution has 1.96).
T95 = 2.093
MIN_BUCKETS = 10  # non-empty buckets; with fewer, no difference is called significant


@dataclass(frozen=True, slots=True)
class Rate:
    """A share from 0 to 1 with its 95 % interval."""

    rate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """A rate minus another, with its 95 % interval.

    `significant` is None when there are too few visitors.
    """

    difference: float
    low: float
    high: float
    significant: bool | None


def rate(buckets: Sequence[Bucket], step: int, z: float = T95) -> Rate | None:
    """Return the share of impressions that reached a step; None if there were none."""
    shown, reached = _sums(buckets, step)
    if not shown:
        return None
    share = min(reached / shown, 1.0)
    low, high = wilson(share, shown / _design_effect(buckets, step, share), z)
    return Rate(share, low, high)


def difference(one: Sequence[Bucket], two: Sequence[Bucket], step: int, z: float = T95) -> Difference | None:
    """Return the second rate minus the first; None if one of them has no impressions."""
    first, second = rate(one, step, z), rate(two, step, z)
    if first is None or second is None:
        return None
    delta = second.rate - first.rate
    low = delta - math.hypot(second.rate - second.low, first.high - first.rate)
    high = delta + math.hypot(second.high - second.rate, first.rate - first.low)
    buckets_used = min(sum(1 for bucket in each if bucket[0]) for each in (one, two))
    differs = low > 0 or high < 0
    return Difference(delta, low, high, differs if buckets_used >= MIN_BUCKETS else None)


def wilson(share: float, number: float, z: float = T95) -> tuple[float, float]:
    """Return Wilson's interval of a share of `number` independent tries."""
    scale = 1 + z * z / number
    middle = (share + z * z / (2 * number)) / scale
    half = z / scale * math.sqrt(share * (1 - share) / number + (z / (2 * number)) ** 2)
    # At the ends rounding would leave the share itself outside.
    return min(share, max(0.0, middle - half)), max(share, min(1.0, middle + half))


def _sums(buckets: Sequence[Bucket], step: int) -> tuple[int, int]:
    return sum(bucket[0] for bucket in buckets), sum(bucket[step] for bucket in buckets)


def _design_effect(buckets: Sequence[Bucket], step: int, share: float) -> float:
    """Return how many impressions are worth one independent impression; at least 1."""
    shown, _ = _sums(buckets, step)
    if not 0 < share < 1 or len(buckets) < 2:
        return 1.0
    squares = math.fsum((bucket[step] - share * bucket[0]) ** 2 for bucket in buckets)
    variance = squares * len(buckets) / (len(buckets) - 1) / shown**2
    return max(1.0, variance / (share * (1 - share) / shown))
