"""What `make bench-autoscale` checks: the targets of docs/autoscaling.md, and how long a day takes."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np

from autoscaling.policy.model import Config
from autoscaling.simulator.compare import Load, compare, loader
from autoscaling.simulator.engine import Setup
from autoscaling.simulator.traces import BIN, Trace

DAY_CPU = 30.0  # seconds for one policy and seed
DAY = Setup(config=Config(min=2, max=200))


class Target(NamedTuple):
    """most: of the mean over the seeds. A figure that is None misses it."""

    trace: str
    policy: str
    figure: str
    most: float


TARGETS = (
    Target("step", "default", "bad_percent", 1.0),
    Target("step", "default", "recovery_s", 15.0),
    Target("step", "default", "cost_ratio", 1.35),
    Target("step", "cpu-only", "bad_percent", 4.0),
    Target("step", "cpu-only", "recovery_s", 45.0),
    Target("flash", "default", "bad_percent", 1.1),
    Target("flash", "cpu-only", "bad_percent", 4.0),
    Target("diurnal", "default", "reversals_per_hour", 0.0),
    Target("diurnal", "cpu-only", "reversals_per_hour", 1.2),
    Target("constant", "default", "reversals_per_hour", 0.0),
)
Say = Callable[[str], None]


def targets(wanted: Sequence[Target], seeds: Sequence[int], jobs: int, say: Say) -> bool:
    """Whether all are met; a line for each. `wanted` has its traces together."""
    met = []
    for trace, of_trace in groupby(wanted, lambda target: target.trace):
        asked = list(of_trace)
        policies = list(dict.fromkeys(target.policy for target in asked))
        figures = compare(loader(trace, 1.0), policies, Setup(), seeds, jobs).figures
        for target in asked:
            value, width = (figures[target.policy][f"{target.figure}{end}"] for end in ("", "_ci95"))
            met.append(value is not None and value <= target.most)
            shown = "never" if value is None else f"{value:.2f}" + ("" if width is None else f" ±{width:.2f}")
            name = f"{trace}, {target.policy}: {target.figure}"
            say(f"{name:<48}{shown:>14}  at most {target.most:g}{'' if met[-1] else '  MISSED'}")
    return all(met)


def day(load: Load, most: float, say: Say) -> bool:
    """Whether one policy and seed, and the oracle for its cost, take at most so many seconds of CPU."""
    done = compare(load, ["default"], DAY, [1])
    requests = int(done.runs["default"].world.total.sum())
    met = done.cpu <= most
    name = f"{load(1).name}, {requests / 1e6:.1f} million requests: CPU s"
    say(f"{name:<48}{done.cpu:>14.1f}  at most {most:g}{'' if met else '  MISSED'}")
    return met


def made_up_day(seed: int, minutes: int = 1440) -> Trace:
    """Return a trace of a real day's size, that of docs/autoscaling.md.

    75 million requests, up to 3,600 a second in the evening, each minute its own by 3 %. Fewer `minutes` are
    spread over the day, and are that share of it.
    """
    dice = random.Random(f"day {seed}")  # noqa: S311 - a simulation's
    middles = np.arange(minutes) + 0.5
    rates = 400 + 3200 * np.exp(-(((middles * 24 / minutes - 19) / 1.98) ** 2))
    rates *= [dice.gauss(1, 0.03) for _ in rates]
    bins = (np.arange(round(minutes * 60 / BIN)) + 0.5) * BIN
    return Trace("day", np.interp(bins / 60, middles, rates))
