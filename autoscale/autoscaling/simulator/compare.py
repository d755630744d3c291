"""Policies side by side on the same traces and seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from autoscaling.policies import POLICIES
from autoscaling.simulator import traces
from autoscaling.simulator.engine import Run, Setup, simulate
from autoscaling.simulator.metrics import Figures, figures, replica_seconds, summary
from autoscaling.simulator.traces import Trace

Load = Callable[[int], Trace]


class Compared(NamedTuple):
    """figures: of each policy, means over the seeds. runs: of each policy, the first seed's, for charts."""

    figures: dict[str, Figures]
    runs: dict[str, Run]


def compare(load: Load, policies: Sequence[str], setup: Setup, seeds: int) -> Compared:
    """load: gives the trace of a seed; seeds are counted from 1."""
    found: dict[str, list[Figures]] = {name: [] for name in policies}
    first: dict[str, Run] = {}
    for seed in range(1, seeds + 1):
        trace = load(seed)
        cost = oracle_cost(trace, setup, seed)
        for name in policies:
            run = run_one(trace, name, setup, seed)
            found[name].append(figures(run, cost))
            first.setdefault(name, run)
    return Compared({name: summary(each) for name, each in found.items()}, first)


def run_one(trace: Trace, policy: str, setup: Setup, seed: int) -> Run:
    entry = POLICIES[policy]
    seen = replace(setup, gateway=setup.gateway and entry.gateway)
    return simulate(trace, entry.build(trace, setup), seen, seed)


def oracle_cost(trace: Trace, setup: Setup, seed: int) -> float:
    """Replica-seconds; they do not depend on the single requests."""
    run = simulate(trace, POLICIES["oracle"].build(trace, setup), setup, seed, requests=False)
    return replica_seconds(run.wanted, trace.seconds)


def loader(name: str, scale: float) -> Load:
    """A trace by name or path; its rates times `scale`. Raises BadTrace, at once."""
    fixed = None if name == "diurnal" else traces.load(name, 1)

    def load(seed: int) -> Trace:
        trace = fixed or traces.load(name, seed)
        return replace(trace, rate=trace.rate * scale) if scale != 1 else trace

    return load
