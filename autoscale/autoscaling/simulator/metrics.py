"""The figures of a run; design/autoscaler.md defines them, docs/autoscaling.md repeats it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import mean, stdev

import numpy as np
from numpy.typing import NDArray

from autoscaling.simulator.engine import Run, Setup, needed
from autoscaling.simulator.traces import BIN

WINDOW = 5  # seconds
TOLERATED = 0.05
REVERSAL_WITHIN = 600.0

Figures = dict[str, float | None]
# Student's t, two-sided 95 %, by degrees of freedom (1 to 30); beyond that the normal distribution's 1.96 is
# near.
T95 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


def figures(run: Run, oracle_cost: float) -> Figures:
    """Of the whole trace. oracle_cost: replica-seconds of the oracle on the same trace."""
    total = int(run.world.total.sum())
    refused = int(run.world.counts[2])
    under, over = provisioning(run)
    return {
        "bad_percent": 100 * int(run.world.bad.sum()) / max(total, 1),
        "rejected_percent": 100 * refused / max(total, 1),
        "recovery_s": recovery(run),
        "cost_ratio": replica_seconds(run.wanted, run.trace.seconds) / oracle_cost,
        "reversals_per_hour": reversals(run) * 3600 / run.trace.seconds,
        "under_percent": under,
        "over_percent": over,
    }


def recovery(run: Run) -> float | None:
    """Seconds from a step to the first of three 5 s windows with at most 5 % bad requests, by arrival.

    The mean over the trace's steps; None when one of them never recovers before the next, and without steps.
    """
    if not run.trace.steps:
        return None
    ends = [*run.trace.steps[1:], run.trace.seconds]
    found = [_recovery(run, int(begin), int(end)) for begin, end in zip(run.trace.steps, ends, strict=True)]
    known = [seconds for seconds in found if seconds is not None]
    return mean(known) if len(known) == len(found) else None


def _recovery(run: Run, begin: int, end: int) -> float | None:
    good = 0
    for at in range(begin, end - WINDOW + 1, WINDOW):
        total = run.world.total[at : at + WINDOW].sum()
        bad = run.world.bad[at : at + WINDOW].sum()
        good = good + 1 if bad <= TOLERATED * total else 0
        if good == 3:
            return float(at - 2 * WINDOW - begin)
    return None


def reversals(run: Run) -> int:
    """Scale calls in the opposite direction of the one before, less than 600 s after it."""
    return sum(
        (now.after > now.before) != (last.after > last.before) and now.at - last.at < REVERSAL_WITHIN
        for last, now in zip(run.calls, run.calls[1:], strict=False)
    )


def replica_seconds(changes: Sequence[tuple[float, int]], seconds: float) -> float:
    """Return the area under a step function that starts at 0."""
    ends = [at for at, _ in changes[1:]] + [seconds]
    return sum(count * (end - at) for (at, count), end in zip(changes, ends, strict=True))


def demanded(rate: NDArray[np.float64], setup: Setup) -> NDArray[np.float64]:
    """Replicas needed, by bin."""
    config = setup.config
    need = np.ceil(rate * setup.demand / config.cpu_target - 1e-9)
    return np.clip(need, config.min, config.max)


def provisioning(run: Run) -> tuple[float, float]:
    """(under, over): 100/T * the integral of max(d-s, 0)/d and of max(s-d, 0)/d; d needed, s ready."""
    needs = demanded(run.trace.rate, run.setup)
    moments = (np.arange(len(needs)) + 0.5) * BIN
    times = np.array([at for at, _ in run.ready])
    counts = np.array([count for _, count in run.ready])
    ready = counts[np.searchsorted(times, moments, side="right") - 1]
    gap = (needs - ready) / needs
    return 100 * float(np.maximum(gap, 0).mean()), 100 * float(np.maximum(-gap, 0).mean())


def summary(runs: Sequence[Figures]) -> Figures:
    """Means over seeds, and half the width of their 95 % confidence interval as `<name>_ci95`.

    A recovery is None when a seed never recovered: its mean would say something else. So is an interval of
    one seed.
    """
    merged: Figures = {}
    for name in runs[0]:
        values = [run[name] for run in runs]
        known = [value for value in values if value is not None]
        complete = len(known) == len(values)
        merged[name] = round(mean(known), 4) if complete else None
        merged[f"{name}_ci95"] = round(_half_width(known), 4) if complete and len(known) > 1 else None
    return merged


def _half_width(values: Sequence[float]) -> float:
    degrees = len(values) - 1
    factor = T95[degrees - 1] if degrees <= len(T95) else 1.96
    return factor * stdev(values) / math.sqrt(len(values))


__all__ = [
    "Figures",
    "demanded",
    "figures",
    "needed",
    "provisioning",
    "recovery",
    "replica_seconds",
    "reversals",
    "summary",
]
