"""What one request of a route group costs, learned from what was served and the CPU that it took."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from autoscaling.policy.model import Sample, Traffic

USUAL_TARGET = 0.6
BUSY_FROM, BUSY_TO = 0.10, 0.85  # CPU per replica between which requests are what it is used for
ENOUGH = 5  # requests that a first guess takes
SPREAD = 10.0  # how many times its first guess a cost may well be
DRIFT = 5e-4  # how much a cost may move per sample, as a share of it
IDLE = ""  # in place of a route group: what replicas do by themselves
IDLE_SPREAD = 0.02  # CPU seconds per second that this may well be
QUIET_SURE = 2.0  # standard deviations that a cost learned while it was quiet is taken lower


class Costs(NamedTuple):
    """CPU seconds of one request by route group: the best guess, and how surely (a covariance, by pair).

    busy: whether the replicas ever had something to do. Until then `IDLE` is one of the groups, counted in
    replica-seconds, and a cost is used only as far as it is sure.
    """

    means: Mapping[str, float] = {}
    covariance: Mapping[tuple[str, str], float] = {}
    busy: bool = False


def capacity(target: float) -> float:
    """Return the CPU that one replica can use: one process has one.

    A target beyond what leaves air in that means a larger one.
    """
    return max(1.0, target / USUAL_TARGET)


def learn(costs: Costs, sample: Sample, cpu: float | None, target: float, grain: float) -> Costs:
    """Learn from one more sample, only where every replica reported.

    grain: that of the CPU used. Where CPU is exhausted, what is known stays, and only groups never seen
    before are guessed. Where it is nearly idle, what is known from busier times stays; without any, requests
    are learned with what replicas do by themselves beside them.
    """
    traffic, ready = sample.traffic, sum(replica.ready for replica in sample.replicas)
    if traffic is None or cpu is None or not ready or sample.seconds <= 0:
        return costs
    share = cpu / sample.seconds / ready / capacity(target)
    if share < BUSY_FROM:
        return costs if costs.busy else _quiet(costs, traffic, cpu, ready * sample.seconds, grain)
    known = costs if costs.busy else Costs(busy=True)  # what quiet taught is not sure enough to stay
    learned = _fitted(known, traffic, cpu) if share <= BUSY_TO else _guessed(known, traffic, cpu)
    return learned if learned.means else costs


def _fitted(costs: Costs, traffic: Traffic, cpu: float) -> Costs:
    counts = {group: count for group, count in traffic.completed.items() if count > 0}
    if not counts:
        return costs
    known = _known(costs, counts, cpu / sum(counts.values()))
    return _corrected(known, counts, cpu, 1e-12)


def _quiet(costs: Costs, traffic: Traffic, cpu: float, idle: float, grain: float) -> Costs:
    """Learn from a nearly idle sample, with `idle` replica-seconds as one more group.

    Few requests and what replicas do by themselves tell apart only by how they vary together, which the
    covariance keeps. Chance is as large as the CPU used shows it.
    """
    if IDLE not in costs.means:
        costs = Costs({IDLE: 0.0}, {(IDLE, IDLE): IDLE_SPREAD**2})
    counts = {group: count for group, count in traffic.completed.items() if count > 0}
    if counts:
        costs = _known(costs, counts, cpu / sum(counts.values()))
    counts[IDLE] = idle
    expected = sum(count * costs.means[group] for group, count in counts.items())
    dearest = max(costs.means.values())  # one of these may have been served before its CPU was counted
    return _corrected(costs, counts, cpu, grain * max(cpu, expected, grain) + dearest**2)


def _known(costs: Costs, counts: Mapping[str, float], even: float) -> Costs:
    """With a first guess for groups never seen, and a little less sure of all that are seen now."""
    means, cov = dict(costs.means), dict(costs.covariance)
    for group in counts.keys() - means.keys():
        cov |= {pair: 0.0 for other in means for pair in ((group, other), (other, group))}
        means[group], cov[group, group] = even, (SPREAD * even) ** 2
    for group in counts:
        cov[group, group] += (DRIFT * means[group]) ** 2
    return costs._replace(means=means, covariance=cov)


def _corrected(costs: Costs, counts: Mapping[str, float], cpu: float, noise: float) -> Costs:
    """Take one step of a Kalman filter whose state are the costs.

    The difference of the CPU used from the forecast corrects each cost by how unsure it is and how much it
    was part of it. To `noise` comes that of exponential demands.
    """
    means, cov = dict(costs.means), costs.covariance
    shares = {group: sum(cov[group, other] * count for other, count in counts.items()) for group in means}
    noise += sum(2 * count * means[group] ** 2 for group, count in counts.items() if group != IDLE)
    total = noise + sum(counts[group] * shares[group] for group in counts)
    surprise = cpu - sum(counts[group] * means[group] for group in counts)
    for group, share in shares.items():
        means[group] = max(means[group] + share / total * surprise, 0.05 * means[group])
    cov = {(one, two): both - shares[one] * shares[two] / total for (one, two), both in cov.items()}
    return costs._replace(means=means, covariance=cov)


def _guessed(costs: Costs, traffic: Traffic, cpu: float) -> Costs:
    """Guess the cost of a flood of requests of a kind never seen.

    What the others do not explain was theirs, half of it for those that are still under way. That is better
    than nothing until CPU is free enough to tell.
    """
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
    return costs._replace(means={**means, **dict.fromkeys(unseen, mean)}, covariance=cov)


def asked(costs: Costs, arrived: Mapping[str, float]) -> float | None:
    """Return the CPU seconds that these requests ask for, None while no cost is known.

    A group never seen before costs what an average one does; while the service never was busy, nothing.
    """
    means = costs.means if costs.busy else _surely(costs)
    if not means:
        return None
    average = sum(means.values()) / len(means) if costs.busy else 0.0
    return sum(count * means.get(group, average) for group, count in arrived.items())


def _surely(costs: Costs) -> dict[str, float]:
    """Return the groups that surely cost something, and what at least."""
    low = {
        group: mean - QUIET_SURE * math.sqrt(max(costs.covariance[group, group], 0.0))
        for group, mean in costs.means.items()
        if group != IDLE
    }
    return {group: mean for group, mean in low.items() if mean > 0}
