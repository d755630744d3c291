"""The input and the answer of a policy; times are seconds on one clock of the caller's.

Standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol


class Replica(NamedTuple):
    """One task of the service, draining ones left out.

    started: when it was created. since: when `ready` last changed.
    cpu: CPU seconds that it used in the sample's interval; None when its node's agent did not answer.
    """

    id: str | int
    ready: bool
    started: float
    since: float
    cpu: float | None


class Traffic(NamedTuple):
    """The gateway's figures for the service in the sample's interval, both listeners together.

    arrived, completed: requests by route group (a refused one is completed at once). in_flight: requests that
    were under way when the sample was taken. failed: 5xx answers and refused requests.
    """

    arrived: Mapping[str, float]
    completed: Mapping[str, float]
    in_flight: float
    failed: float


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at a service.

    at: when. seconds: how long the interval of its figures was, about two. wanted: replicas that the
    service's specification asks for. replicas: its tasks. traffic: None when the gateway did not answer.
    updating: a rolling update or a rollback runs. room: replicas of it that all nodes together can hold, None
    if unknown.
    """

    at: float
    seconds: float
    wanted: int
    replicas: Sequence[Replica]
    traffic: Traffic | None
    updating: bool = False
    room: int | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """What the labels of a service say; see docs/autoscaling.md for each.

    cpu_target: CPU seconds per second that a replica should use. step: the share of the replicas that one
    decision may remove. cooldown: seconds that demand must have been lower before anything is removed. trend:
    seconds that steady growth is extrapolated, 0 for never.
    """

    min: int = 1
    max: int = 10
    cpu_target: float = 0.6
    step: float = 0.25
    cooldown: float = 120.0
    trend: float = 0.0
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """replicas: what the service should have. rule: a slug for metrics. reason: a sentence for people.

    need: replicas that the demand asks for, before rounding; None when it is not known.
    blocked: replicas that were wanted but not granted (by max, room or a running update), 0 for none.
    """

    replicas: int
    rule: str
    reason: str
    need: float | None = None
    blocked: int = 0


class Policy(Protocol):
    """A pure function of samples and state. `state` is None at the start and opaque to the caller."""

    def __call__(self, samples: Sequence[Sample], state: Any, config: Config) -> tuple[Decision, Any]: ...
