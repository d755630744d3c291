"""Samples made by hand: a service whose requests all cost the same, or nearly."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any

from autoscaling.policy import Config, Decision, Replica, Sample, Traffic, decide

COST = 0.025
CONFIG = Config(min=2, max=24)


def look(
    at: float,
    rate: float | Mapping[str, float] = 40.0,
    *,
    wanted: int = 2,
    ready: int | None = None,
    costs: Mapping[str, float] | None = None,
    gateway: bool = True,
    agents: bool = True,
    failed: float = 0.0,
    in_flight: float = 0.0,
    completed: Mapping[str, float] | None = None,
    **more: Any,
) -> Sample:
    """Two seconds at `rate` (by route group, or of one): arrived, completed, and the CPU that it took."""
    rates = rate if isinstance(rate, Mapping) else {"all": rate}
    counts = {group: each * 2.0 for group, each in rates.items()}
    ready = wanted if ready is None else ready
    work = sum(count * (costs or {}).get(group, COST) for group, count in counts.items())
    cpu = min(work / ready if ready else 0.0, 2.0)
    replicas = [Replica(n, n < ready, -600.0, -600.0, cpu if agents else None) for n in range(wanted)]
    traffic = Traffic(counts, completed or counts, in_flight, failed) if gateway else None
    return Sample(at, 2.0, wanted, replicas, traffic, **more)


class Service:
    """Follows what is decided for it, at once; `state` is kept between looks."""

    def __init__(self, wanted: int = 2, config: Config = CONFIG) -> None:
        self.wanted, self.config = wanted, config
        self.at, self.state = 0.0, None
        self.decisions: list[Decision] = []

    def see(self, rate: float | Mapping[str, float], seconds: float = 2.0, **more: Any) -> Decision:
        """Look for so long at the same load; the last decision."""
        for _ in range(round(seconds / 2)):
            self.at += 2.0
            sample = look(self.at, rate, wanted=self.wanted, **more)
            decision, self.state = decide([sample], self.state, self.config)
            self.decisions.append(decision)
            self.wanted = decision.replicas
        return self.decisions[-1]


def by_chance(rate: float, seed: int) -> Iterator[float]:
    """Rates as two-second counts of a Poisson process show them."""
    dice = random.Random(seed)  # noqa: S311 - a simulation's
    while True:
        count, at = 0, dice.expovariate(rate)
        while at < 2.0:
            count, at = count + 1, at + dice.expovariate(rate)
        yield count / 2.0
