"""Knative's autoscaler on requests per second: a stable window of 60 s, a panic window of 6 s, every 2 s.

Source: knative/serving, pkg/autoscaler/scaling/autoscaler.go, `Scale`; defaults of config-autoscaler (stable
window 60 s, panic window 10 % of it, panic threshold 200 %, rates 1000 up and 2 down, no scale-down delay).
What needs its activator (scale to zero, burst capacity) is left out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from autoscaling.policy.model import Config, Decision, Policy, Sample

STABLE, PANIC, THRESHOLD, UP_RATE, DOWN_RATE = 60.0, 6.0, 2.0, 1000.0, 2.0


class State(NamedTuple):
    """The policy's memory between two calls.

    seen: (when, seconds, requests) of the stable window. panic: since when, or None. held: most replicas of
    this panic.
    """

    seen: tuple[tuple[float, float, float], ...]
    panic: float | None
    held: int


def knative(target: float) -> Policy:
    """target: requests per second that one replica is meant to get."""

    def decide(samples: Sequence[Sample], state: State | None, config: Config) -> tuple[Decision, State]:
        now = samples[-1]
        ready = max(1, sum(replica.ready for replica in now.replicas))
        state = state or State((), now.at if ready > 1 else None, ready)
        seen = state.seen + tuple(
            (sample.at, sample.seconds, float(sum(sample.traffic.arrived.values())))
            for sample in samples
            if sample.traffic is not None
        )
        seen = tuple(entry for entry in seen if entry[0] > now.at - STABLE)
        if not seen:
            return Decision(now.wanted, "no-data", "no requests were counted"), state
        stable, hasty = (_desired(seen, now.at - length, target, ready) for length in (STABLE, PANIC))
        panic, held = _panic(state, hasty, ready, now.at)
        if panic is None:
            return _decision(stable, "stable", config), State(seen, None, 0)
        held = max(held, stable, hasty)
        return _decision(held, "panic", config), State(seen, panic, held)

    return decide


def _desired(seen: Sequence[tuple[float, float, float]], after: float, target: float, ready: int) -> int:
    """Replicas for the mean rate since then, within the rates of change."""
    entries = [entry for entry in seen if entry[0] > after]
    seconds = sum(entry[1] for entry in entries)
    desired = math.ceil(sum(entry[2] for entry in entries) / max(seconds, 1e-9) / target)
    return int(min(max(desired, math.floor(ready / DOWN_RATE)), math.ceil(UP_RATE * ready)))


def _panic(state: State, hasty: int, ready: int, at: float) -> tuple[float | None, int]:
    if hasty / ready >= THRESHOLD:
        return at, state.held
    if state.panic is not None and state.panic + STABLE < at:
        return None, 0
    return state.panic, state.held


def _decision(replicas: int, rule: str, config: Config) -> Decision:
    return Decision(max(config.min, min(replicas, config.max)), rule, f"{rule} window asks for {replicas}")
