"""What a service's samples say about its demand: CPU seconds per second, with what chance alone would do to
them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from autoscaling.policy.model import Sample, Traffic

USUAL_TARGET = 0.6
LEARN_FROM, LEARN_TO = 0.10, 0.85  # CPU per replica between which a request's cost is learned
FIRST_GRAIN = 0.05  # CPU seconds; what the first samples are taken to consist of
LEAST_GRAIN = 1e-3  # as clockwork as no traffic is
GRAIN_WEIGHT = 1 / 64
ENOUGH = 5  # requests that a first guess takes
SPREAD = 10.0  # how many times its first guess a cost may well be
DRIFT = 5e-4  # how much a cost may move per sample, as a share of it


class Costs(NamedTuple):
    """CPU seconds of one request by route group: the best guess, and how surely (a covariance, by pair)."""

    means: Mapping[str, float] = {}
    covariance: Mapping[tuple[str, str], float] = {}


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


def capacity(target: float) -> float:
    """CPU that one replica can use: one process has one. A target beyond what leaves air in that means a
    larger one."""
    return max(1.0, target / USUAL_TARGET)


def used(sample: Sample) -> float | None:
    """CPU seconds of the replicas that get requests; None unless every one of them reported."""
    figures = [replica.cpu for replica in sample.replicas if replica.ready]
    known = [figure for figure in figures if figure is not None]
    return sum(known) if known and len(known) == len(figures) else None


def learn(costs: Costs, sample: Sample, cpu: float | None, target: float) -> Costs:
    """What one more sample teaches: only where CPU is not idle, and every replica reported. Where it is
    exhausted, what is known stays, and only groups never seen before are guessed."""
    traffic, ready = sample.traffic, sum(replica.ready for replica in sample.replicas)
    if traffic is None or cpu is None or not ready or sample.seconds <= 0:
        return costs
    share = cpu / sample.seconds / ready / capacity(target)
    if share < LEARN_FROM:
        return costs
    return _fitted(costs, traffic, cpu) if share <= LEARN_TO else _guessed(costs, traffic, cpu)


def _fitted(costs: Costs, traffic: Traffic, cpu: float) -> Costs:
    """One step of a Kalman filter whose state are the costs: what the CPU used differs from the forecast
    corrects each by how unsure it is and how much it was part of it. The noise is that of exponential
    demands; costs drift a little."""
    counts = {group: count for group, count in traffic.completed.items() if count > 0}
    if not counts:
        return costs
    means, cov = dict(costs.means), dict(costs.covariance)
    even = cpu / sum(counts.values())
    for group in counts.keys() - means.keys():
        cov |= {pair: 0.0 for other in means for pair in ((group, other), (other, group))}
        means[group], cov[group, group] = even, (SPREAD * even) ** 2
    for group in counts:
        cov[group, group] += (DRIFT * means[group]) ** 2
    shares = {group: sum(cov[group, other] * count for other, count in counts.items()) for group in means}
    noise = sum(2 * count * means[group] ** 2 for group, count in counts.items()) + 1e-12
    total = noise + sum(counts[group] * shares[group] for group in counts)
    surprise = cpu - sum(counts[group] * means[group] for group in counts)
    for group, share in shares.items():
        means[group] = max(means[group] + share / total * surprise, 0.05 * means[group])
    return Costs(
        means, {(one, two): both - shares[one] * shares[two] / total for (one, two), both in cov.items()}
    )


def _guessed(costs: Costs, traffic: Traffic, cpu: float) -> Costs:
    """A flood of requests of a kind never seen: what the others do not explain was theirs, half of it for
    those that are still under way. Better than nothing until CPU is free enough to tell."""
    means = costs.means
    unseen = [group for group, count in traffic.completed.items() if count > 0 and group not in means]
    explained = sum(count * means[group] for group, count in traffic.completed.items() if group in means)
    served = sum(traffic.completed[group] for group in unseen) + traffic.in_flight / 2
    if served < ENOUGH or not unseen or cpu <= explained:
        return costs
    mean, cov = (cpu - explained) / served, dict(costs.covariance)
    for group in unseen:
        cov |= {pair: 0.0 for other in (*means, *unseen) for pair in ((group, other), (other, group))}
    cov |= {(group, group): (SPREAD * mean) ** 2 for group in unseen}
    return Costs({**means, **dict.fromkeys(unseen, mean)}, cov)


def asked(costs: Costs, arrived: Mapping[str, float]) -> float | None:
    """CPU seconds that these requests ask for. A group never seen before costs what an average one does."""
    means = costs.means
    if not means:
        return None
    average = sum(means.values()) / len(means)
    return sum(count * means.get(group, average) for group, count in arrived.items())


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
    return max(LEAST_GRAIN, grain + GRAIN_WEIGHT * (min(seen, 9 * grain) - grain))


def signal(ticks: Sequence[Tick], values: Sequence[float | None], grain: float) -> Signal:
    """What the ticks say of one of their figures, since it was missing last."""
    begin = 0
    if None in values:
        begin = next(place for place in range(len(values), 0, -1) if values[place - 1] is None)
    known = tuple(value for value in values[begin:] if value is not None)
    return Signal(known, tuple([tick.seconds for tick in ticks[begin:]]), grain)


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
