"""One replay: load and replicas side by side, told as a run of the simulator."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, cast

from autoscaling.replay.sending import Seen, Sender
from autoscaling.replay.watching import Watcher
from autoscaling.simulator.engine import Run, Setup
from autoscaling.simulator.traces import BIN, Trace


@dataclass(frozen=True, slots=True)
class Replayed:
    """latencies: seconds, rising. whole: whether the trace was played to its end."""

    run: Run
    latencies: list[float]
    whole: bool


def replay(trace: Trace, setup: Setup, sender: Sender, watcher: Watcher, seed: int) -> Replayed:
    """Until the trace ends, or Ctrl-C: then of what was sent by then."""
    seen, began, whole = Seen.of(trace.seconds), time.monotonic(), True
    watcher.start()
    try:
        asyncio.run(sender.run(trace, seed, seen))
    except KeyboardInterrupt:
        whole, trace = False, cut(trace, time.monotonic() - began)
    finally:
        watcher.stop()
    end = trace.seconds
    world = SimpleNamespace(total=seen.total, bad=seen.bad, counts=[0, 0, seen.refused])
    run = Run(
        trace,
        setup,
        cast("Any", world),
        [call for call in watcher.calls if call.at < end],
        [step for step in watcher.wanted if step[0] < end],
        [step for step in watcher.ready if step[0] < end],
    )
    return Replayed(run, sorted(seen.latencies), whole)


def cut(trace: Trace, seconds: float) -> Trace:
    """Its beginning, at least one bin of it."""
    steps = tuple(at for at in trace.steps if at < seconds)
    return replace(trace, rate=trace.rate[: max(1, int(seconds / BIN))], steps=steps)
