"""Kubernetes' Horizontal Pod Autoscaler (autoscaling/v2) on CPU utilization, with a plain cluster's defaults.

Source: kubernetes/kubernetes, pkg/controller/podautoscaler: replica_calculator.go (`GetResourceReplicas`,
`groupPods`), metrics/utilization.go (whole percents), horizontal.go (`reconcileAutoscaler`,
`stabilizeRecommendation`, `convertDesiredReplicasWithRules`, `calculateScaleUpLimit`). A plain HPA says
nothing about `behavior`, and pkg/apis/autoscaling/v2/defaults.go fills rules in only where it says something:
what it takes are not the `…WithBehaviors` functions. kube-controller-manager's defaults: sync 15 s, tolerance
0.1, CPU initialization period 300 s, initial readiness delay 30 s, scale-down stabilization 300 s; up to
twice as many or 4 pods per sync, whichever is more. metrics-server reads every 15 s, and its figure is the
mean over that time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from autoscaling.policy.model import Config, Decision, Replica, Sample

SYNC = RESOLUTION = 15.0
TOLERANCE = 0.1
INITIALIZATION, READINESS_DELAY = 300.0, 30.0
DOWN_WINDOW = 300.0
UP_FACTOR, UP_LEAST = 2, 4
LIMIT = 1.0  # CPU that a pod requests

Key = str | int
Event = tuple[float, int]


class State(NamedTuple):
    """The policy's memory between two calls.

    usage: CPU seconds and seconds of each pod since the last reading. metrics: the last reading's CPU per
    pod. next_read, next_sync: when they are due. advised: what was recommended before it was stabilized.
    """

    usage: Mapping[Key, tuple[float, float]]
    metrics: Mapping[Key, float]
    read_at: float
    next_read: float
    next_sync: float
    advised: tuple[Event, ...]


def hpa(samples: Sequence[Sample], state: State | None, config: Config) -> tuple[Decision, State]:
    state = state or _initial(samples[0])
    for sample in samples:
        state = _read(state, sample)
    now = samples[-1]
    if now.at < state.next_sync:
        return Decision(now.wanted, "between", "the next sync is to come"), state
    state = state._replace(next_sync=state.next_sync + SYNC)
    if not config.min <= now.wanted <= config.max:
        nearest = max(config.min, min(now.wanted, config.max))
        return Decision(nearest, "limits", "outside of minimum and maximum"), state
    proposed = replicas(now, state.metrics, state.read_at, config)
    if proposed is None:
        return Decision(now.wanted, "no-metrics", "no metrics for any ready pod"), state
    advised = (*(entry for entry in state.advised if entry[0] >= now.at - DOWN_WINDOW), (now.at, proposed))
    stabilized = max(size for _, size in advised)
    reason = f"proposes {proposed}, stabilized {stabilized}"
    return Decision(limited(stabilized, now.wanted, config), "sync", reason), state._replace(advised=advised)


def _initial(first: Sample) -> State:
    """Where the two rhythms begin is chance in a cluster; here the first sample's time stands for it."""
    phase = first.at * 7.5 % SYNC
    return State(
        {}, {}, first.at, first.at + phase, first.at + (phase + 7.5) % SYNC, ((first.at, first.wanted),)
    )


def _read(state: State, sample: Sample) -> State:
    """Add to each pod's usage; every 15 s it becomes what the metrics API answers."""
    usage = {}
    for pod in sample.replicas:
        if pod.cpu is not None:
            used, seconds = state.usage.get(pod.id, (0.0, 0.0))
            usage[pod.id] = (used + pod.cpu, seconds + sample.seconds)
    if sample.at < state.next_read:
        return state._replace(usage=usage)
    metrics = {pod: used / seconds for pod, (used, seconds) in usage.items() if seconds > 0}
    return state._replace(
        usage={}, metrics=metrics, read_at=sample.at, next_read=state.next_read + RESOLUTION
    )


def replicas(now: Sample, metrics: Mapping[Key, float], read_at: float, config: Config) -> int | None:
    """`GetResourceReplicas`: None where it fails for want of metrics."""
    missing = {pod.id for pod in now.replicas if pod.id not in metrics}
    ignored = {pod.id for pod in now.replicas if pod.id not in missing and _ignore(pod, now.at, read_at)}
    known = {pod.id: metrics[pod.id] for pod in now.replicas if pod.id not in missing | ignored}
    if not known:
        return None
    ratio = _ratio(known, config)
    rebalance = bool(ignored) and ratio > 1
    if not rebalance and not missing:
        return now.wanted if abs(1 - ratio) <= TOLERANCE else math.ceil(ratio * len(known))
    if ratio != 1:
        known.update(dict.fromkeys(missing, LIMIT if ratio < 1 else 0.0))
    if rebalance:
        known.update(dict.fromkeys(ignored, 0.0))
    again = _ratio(known, config)
    if abs(1 - again) <= TOLERANCE or (ratio < 1 < again) or (again < 1 < ratio):
        return now.wanted
    size = math.ceil(again * len(known))
    turned = (again < 1 and size > now.wanted) or (again > 1 and size < now.wanted)
    return now.wanted if turned else size


def _ignore(pod: Replica, at: float, read_at: float) -> bool:
    """`groupPods`: unready, or without one whole reading since it became ready, while young."""
    if pod.started + INITIALIZATION > at:
        return not pod.ready or read_at < pod.since + RESOLUTION
    return not pod.ready and pod.started + READINESS_DELAY > pod.since


def _ratio(known: Mapping[Key, float], config: Config) -> float:
    """Utilization is cut to whole percents, as the source does."""
    used = sum(round(cpu * 1000) for cpu in known.values())
    percent = used * 100 // round(LIMIT * 1000 * len(known))
    return percent / round(config.cpu_target * 100)


def limited(size: int, current: int, config: Config) -> int:
    """`convertDesiredReplicasWithRules`."""
    most = min(config.max, max(UP_FACTOR * current, UP_LEAST))
    return config.min if size < config.min else min(size, most)
