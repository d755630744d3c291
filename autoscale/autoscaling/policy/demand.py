"""A service's demand by its samples: CPU seconds per second, with what chance alone would do to them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from autoscaling.policy.costs import Costs, asked
from autoscaling.policy.model import Sample

FIRST_GRAIN = 0.05  # CPU seconds; what the first samples are taken to consist of
LEAST_GRAIN = 1e-3  # as clockwork as no traffic is
GRAIN_WEIGHT = 1 / 64


class Tick(NamedTuple):
    """One sample, boiled down.

    work, cpu: CPU seconds that its interval's requests ask for, and that were used; None where the figures
    are missing. failed, arrived: requests.
    """

    at: float
    seconds: float
    work: float | None
    cpu: float | None
    arrived: float
    failed: float
    ready: int


class Signal(NamedTuple):
    """A row of CPU seconds per interval, newest last, cut at the newest gap.

    grain: the CPU seconds that come at once: the variance of a sum is grain times its mean, as for a compound
    Poisson process.
    """

    work: tuple[float, ...]
    seconds: tuple[float, ...]
    grain: float

    def window(self, count: int) -> tuple[float, float]:
        """(CPU seconds, seconds) of the newest `count` intervals."""
        return sum(self.work[-count:]), sum(self.seconds[-count:])


def used(sample: Sample) -> float | None:
    """CPU seconds of the replicas that get requests; None unless every one of them reported."""
    figures = [replica.cpu for replica in sample.replicas if replica.ready]
    known = [figure for figure in figures if figure is not None]
    return sum(known) if known and len(known) == len(figures) else None


def tick(costs: Costs, sample: Sample, cpu: float | None) -> Tick:
    traffic, ready = sample.traffic, sum(replica.ready for replica in sample.replicas)
    if sample.seconds <= 0:
        return Tick(sample.at, sample.seconds, None, None, 0.0, 0.0, ready)
    if traffic is None:
        return Tick(sample.at, sample.seconds, None, cpu, 0.0, 0.0, ready)
    work, arrived = asked(costs, traffic.arrived), sum(traffic.arrived.values())
    return Tick(sample.at, sample.seconds, work, cpu, arrived, traffic.failed, ready)


def coarser(grain: float, before: float | None, now: float | None) -> float:
    """Return the grain after one more interval.

    Half the squared difference of neighbours estimates the variance. One jump says little about chance, so
    that what it adds is bounded.
    """
    if before is None or now is None or before + now <= 0:
        return grain
    seen = (now - before) ** 2 / (before + now)
    return max(LEAST_GRAIN, grain + GRAIN_WEIGHT * (min(seen, 9 * grain) - grain))


def signal(ticks: Sequence[Tick], values: Sequence[float | None], grain: float) -> Signal:
    """Return what the ticks say of one of their figures, since it was missing last."""
    begin = 0
    if None in values:
        begin = next(place for place in range(len(values), 0, -1) if values[place - 1] is None)
    known = tuple(value for value in values[begin:] if value is not None)
    return Signal(known, tuple([tick.seconds for tick in ticks[begin:]]), grain)


def chance(grain: float, expected: float) -> float:
    """Return standard deviation of a sum of CPU seconds that is expected to be so large."""
    return math.sqrt(grain * max(expected, grain))


def evidence(grain: float, amount: float, expected: float) -> float:
    """How many standard deviations a sum of CPU seconds is above what is expected.

    The square root makes the variance of such sums grain/4 whatever their size, and is right in the tail too:
    an excess by chance has a probability of about exp(-z²/2), by large deviations of a compound Poisson
    process with exponential sizes, where the plain difference over its standard deviation would cry wolf when
    few large requests come.
    """
    return 2 * (math.sqrt(max(amount, 0.0)) - math.sqrt(max(expected, 0.0))) / math.sqrt(grain)
