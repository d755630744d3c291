"""Policies side by side on the same traces and seeds, as many runs at a time as there are processors."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from time import process_time
from typing import NamedTuple

from autoscaling.policies import POLICIES
from autoscaling.simulator import kernel, traces
from autoscaling.simulator.engine import Run, Setup, simulate
from autoscaling.simulator.metrics import Figures, figures, replica_seconds, summary
from autoscaling.simulator.traces import Trace

Load = Callable[[int], Trace]
Progress = Callable[[int, int], None]  # runs that are done, and all of them
ORACLE = "oracle"


@dataclass(frozen=True, slots=True)
class Loader:
    """Gives the trace of a seed, its rates times `scale`."""

    name: str
    scale: float = 1.0

    def __call__(self, seed: int) -> Trace:
        trace = traces.load(self.name, seed)
        return replace(trace, rate=trace.rate * self.scale) if self.scale != 1 else trace


def loader(name: str, scale: float) -> Loader:
    """Return a trace by name or path. Raises BadTrace, at once."""
    load = Loader(name, scale)
    traces.bounded(load(1))
    return load


class Compared(NamedTuple):
    """Policies side by side.

    figures: of each policy, means over the seeds. runs: of each policy, the first seed's, for charts. cpu:
    seconds of all processes.
    """

    figures: dict[str, Figures]
    runs: dict[str, Run]
    cpu: float


class Task(NamedTuple):
    """One run. asked: whether its figures are wanted, and not its cost alone. kept: whether all of it is."""

    seed: int
    policy: str
    asked: bool
    kept: bool


class Done(NamedTuple):
    """Its figures, the cost in replica-seconds of its own."""

    task: Task
    figures: Figures
    run: Run | None
    cpu: float


def compare(
    load: Load,
    policies: Sequence[str],
    setup: Setup,
    seeds: Sequence[int],
    jobs: int = 1,
    progress: Progress = lambda done, of: None,
) -> Compared:
    """load: gives the trace of a seed. jobs: processes; the figures do not depend on their number."""
    tasks = _tasks(policies, seeds)
    found: dict[tuple[int, str], Done] = {}
    for done in _results(_Work(load, setup), tasks, min(jobs, len(tasks))):
        found[done.task.seed, done.task.policy] = done
        progress(len(found), len(tasks))
    rows = {name: [_against_oracle(found, name, seed) for seed in seeds] for name in policies}
    runs = {name: run for name in policies if (run := found[seeds[0], name].run)}
    cpu = sum(done.cpu for done in found.values())
    return Compared({name: summary(each) for name, each in rows.items()}, runs, cpu)


def _tasks(policies: Sequence[str], seeds: Sequence[int]) -> list[Task]:
    """Return the oracle is what cost is measured against, asked for or not."""
    names = [*policies, *(() if ORACLE in policies else (ORACLE,))]
    return [
        Task(seed, name, name in policies, name in policies and seed == seeds[0])
        for seed in seeds
        for name in names
    ]


def _against_oracle(found: dict[tuple[int, str], Done], policy: str, seed: int) -> Figures:
    own, best = found[seed, policy].figures, found[seed, ORACLE].figures["cost_ratio"]
    return {**own, "cost_ratio": (own["cost_ratio"] or 0.0) / (best or 1.0)}


@dataclass(frozen=True, slots=True)
class _Work:
    load: Load
    setup: Setup

    def __call__(self, task: Task) -> Done:
        began = process_time()
        run = run_one(self.load(task.seed), task.policy, self.setup, task.seed, requests=task.asked)
        told = figures(run, oracle_cost=1.0)
        return Done(task, told, run if task.kept else None, process_time() - began)


def _results(work: _Work, tasks: Sequence[Task], jobs: int) -> Iterator[Done]:
    """As they come. Processes are forked, so that they have what is compiled and loaded already."""
    kernel.compiled()
    if jobs <= 1:
        yield from map(work, tasks)
        return
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("fork"), _quietly)
    try:
        for future in as_completed([pool.submit(work, task) for task in tasks]):
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _quietly() -> None:
    """Ctrl-C ends a process at once and without a word: there is one that waits for it, and says so."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def processors() -> int:
    """Return that this process may use."""
    return len(os.sched_getaffinity(0))


def run_one(trace: Trace, policy: str, setup: Setup, seed: int, *, requests: bool = True) -> Run:
    entry = POLICIES[policy]
    seen = replace(setup, gateway=setup.gateway and entry.gateway)
    return simulate(trace, entry.build(trace, setup), seen, seed, requests=requests)


def oracle_cost(trace: Trace, setup: Setup, seed: int) -> float:
    """Replica-seconds; they do not depend on the single requests."""
    return replica_seconds(run_one(trace, ORACLE, setup, seed, requests=False).wanted, trace.seconds)
