"""One replica up or down at most every 10 s, by average CPU above 70 % or below 30 %, as simple tools do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from autoscaling.policy.model import Config, Decision, Sample

UP, DOWN, PAUSE = 0.7, 0.3, 10.0


class State(NamedTuple):
    """The policy's memory between two calls.

    changed: when the last change was asked for. used, seconds: CPU per ready replica since the last look.
    """

    changed: float
    used: float = 0.0
    seconds: float = 0.0


def threshold(samples: Sequence[Sample], state: State | None, config: Config) -> tuple[Decision, State]:
    state = state or State(samples[0].at)
    used, seconds = state.used, state.seconds
    for sample in samples:
        ready = [replica.cpu for replica in sample.replicas if replica.ready and replica.cpu is not None]
        if ready:
            used += sum(ready) / len(ready)
            seconds += sample.seconds
    now = samples[-1]
    if now.at - state.changed < PAUSE or not seconds:
        return Decision(now.wanted, "wait", "within 10 s of the last look"), State(
            state.changed, used, seconds
        )
    share = used / seconds
    change = 1 if share > UP else -1 if share < DOWN else 0
    replicas = max(config.min, min(now.wanted + change, config.max))
    return Decision(replicas, "threshold", f"CPU at {share:.0%}"), State(now.at)
