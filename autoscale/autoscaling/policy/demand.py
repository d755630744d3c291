"""What a service's samples say about its demand: CPU seconds per second, with what chance alone would do to
them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from autoscaling.policy.model import Sample, Traffic

LEARN_FROM, LEARN_TO = 0.10, 0.85  # CPU per replica between which a request's cost is learned
FIRST_GRAIN = 0.05  # CPU seconds; what the first samples are taken to consist of
GRAIN_WEIGHT = 1 / 64
ENOUGH = 5  # requests that a first guess takes
DRIFT = 5e-4  # how much a cost may move per sample, as a share of it


class Cost(NamedTuple):
    """CPU seconds of one request, and the variance of that belief."""

    mean: float
    variance: float


Costs = Mapping[str, Cost]


class Tick(NamedTuple):
    """One sample, boiled down. work, cpu: CPU seconds that its interval's requests ask for, and that were
    used; None where the figures are missing. failed, arrived: requests."""

    at: float
    seconds: float
    work: float | None
    cpu: float | None
    arrived: float
    failed: float
    ready: int


class Signal(NamedTuple):
    """A row of CPU seconds per interval, newest last, cut at the newest gap. grain: the CPU seconds that come
    at once: the variance of a sum is grain times its mean, as for a compound Poisson process."""

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


def learn(costs: Costs, sample: Sample, cpu: float | None) -> Costs:
    """What one more sample teaches: only where CPU is not idle, and every replica reported. Where it is
    exhausted, what is known stays, and only groups never seen before are guessed."""
    traffic, ready = sample.traffic, sum(replica.ready for replica in sample.replicas)
    if traffic is None or cpu is None or not ready or sample.seconds <= 0:
        return costs
    share = cpu / sample.seconds / ready
    if share < LEARN_FROM:
        return costs
    return _fitted(costs, traffic, cpu) if share <= LEARN_TO else _guessed(costs, traffic, cpu)


def _fitted(costs: Costs, traffic: Traffic, cpu: float) -> Costs:
    """Kalman filter with one cost per route group: each takes its share of what the CPU used differs from the
    forecast, the less certain one the more."""
    counts = {group: count for group, count in traffic.completed.items() if count > 0}
    if not counts:
        return costs
    even = cpu / sum(counts.values())
    belief = {group: costs.get(group) or Cost(even, (2 * even) ** 2) for group in counts}
    prior = {
        group: Cost(cost.mean, cost.variance + (DRIFT * cost.mean) ** 2) for group, cost in belief.items()
    }
    forecast = sum(counts[group] * cost.mean for group, cost in prior.items())
    noise = sum(2 * counts[group] * cost.mean**2 for group, cost in prior.items()) + 1e-12
    total = noise + sum(counts[group] ** 2 * cost.variance for group, cost in prior.items())
    learned = dict(costs)
    for group, cost in prior.items():
        gain = counts[group] * cost.variance / total
        mean = max(cost.mean + gain * (cpu - forecast), 0.05 * cost.mean)
        learned[group] = Cost(mean, cost.variance * (1 - gain * counts[group]))
    return learned


def _guessed(costs: Costs, traffic: Traffic, cpu: float) -> Costs:
    """A flood of requests of a kind never seen: what the others do not explain was theirs, half of it for
    those that are still under way. Better than nothing until CPU is free enough to tell."""
    unseen = {group: count for group, count in traffic.completed.items() if count > 0 and group not in costs}
    explained = sum(count * costs[group].mean for group, count in traffic.completed.items() if group in costs)
    served = sum(unseen.values()) + traffic.in_flight / 2
    if served < ENOUGH or not unseen or cpu <= explained:
        return costs
    mean = (cpu - explained) / served
    return {**costs, **dict.fromkeys(unseen, Cost(mean, mean**2))}


def asked(costs: Costs, arrived: Mapping[str, float]) -> float | None:
    """CPU seconds that these requests ask for. A group never seen before costs what an average one does."""
    if not costs:
        return None
    average = sum(cost.mean for cost in costs.values()) / len(costs)
    return sum(count * (costs[group].mean if group in costs else average) for group, count in arrived.items())


def tick(costs: Costs, sample: Sample, cpu: float | None) -> Tick:
    traffic, ready = sample.traffic, sum(replica.ready for replica in sample.replicas)
    if sample.seconds <= 0:
        return Tick(sample.at, sample.seconds, None, None, 0.0, 0.0, ready)
    if traffic is None:
        return Tick(sample.at, sample.seconds, None, cpu, 0.0, 0.0, ready)
    work, arrived = asked(costs, traffic.arrived), sum(traffic.arrived.values())
    return Tick(sample.at, sample.seconds, work, cpu, arrived, traffic.failed, ready)


def coarser(grain: float, before: float | None, now: float | None) -> float:
    """The grain after one more interval: half the squared difference of neighbours estimates the variance.
    One jump says little about chance, so that what it adds is bounded."""
    if before is None or now is None or before + now <= 0:
        return grain
    seen = (now - before) ** 2 / (before + now)
    return grain + GRAIN_WEIGHT * (min(seen, 9 * grain) - grain)


def signal(ticks: Sequence[Tick], name: str, grain: float) -> Signal:
    work: list[float] = []
    seconds: list[float] = []
    for entry in reversed(ticks):
        value = getattr(entry, name)
        if value is None:
            break
        work.append(value)
        seconds.append(entry.seconds)
    return Signal(tuple(reversed(work)), tuple(reversed(seconds)), grain)


def chance(grain: float, expected: float) -> float:
    """Standard deviation of a sum of CPU seconds that is expected to be so large."""
    return math.sqrt(grain * max(expected, grain))


def evidence(grain: float, amount: float, expected: float) -> float:
    """How many standard deviations a sum of CPU seconds is above what is expected.

    The square root makes the variance of such sums grain/4 whatever their size, and is right in the tail too:
    an excess by chance has a probability of about exp(-z²/2), by large deviations of a compound Poisson
    process with exponential sizes, where the plain difference over its standard deviation would cry wolf when
    few large requests come.
    """
    return 2 * (math.sqrt(max(amount, 0.0)) - math.sqrt(max(expected, 0.0))) / math.sqrt(grain)
