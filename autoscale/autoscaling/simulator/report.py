"""What a comparison says, as a table, as JSON and as charts."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autoscaling.simulator.engine import Run
from autoscaling.simulator.metrics import WINDOW, Figures, demanded
from autoscaling.simulator.traces import BIN

COLUMNS = {
    "bad_percent": "bad %",
    "rejected_percent": "refused %",
    "recovery_s": "recovery s",
    "cost_ratio": "cost",
    "reversals_per_hour": "reversals/h",
    "under_percent": "under %",
    "over_percent": "over %",
}
COLOURS = {
    "default": "#0b6e4f",
    "cpu-only": "#7fb069",
    "hpa": "#326ce5",
    "knative": "#d1495b",
    "threshold": "#edae49",
    "oracle": "#777777",
}

Table = Mapping[str, Mapping[str, Figures]]


def as_table(table: Table) -> str:
    """Return one block per trace, one line per policy.

    The half width of the 95 % confidence interval stands behind a mean of several seeds.
    """
    lines = []
    for trace, policies in table.items():
        lines += ["", trace, f"  {'':10}" + "".join(f"{title:>16}" for title in COLUMNS.values())]
        lines += [
            f"  {name:10}" + "".join(_cell(found, key) for key in COLUMNS) for name, found in policies.items()
        ]
    return "\n".join(lines).lstrip("\n")


def _cell(found: Figures, key: str) -> str:
    value, width = found[key], found[f"{key}_ci95"]
    if value is None:
        return f"{'–':>16}"
    return (f"{value:.2f}" if width is None else f"{value:.2f} ±{width:.2f}").rjust(16)


def write_json(table: Table, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")


def chart(title: str, runs: Mapping[str, Run], path: Path) -> None:
    """Load, replicas and bad requests over time, as SVG. The same runs give the same file."""
    import matplotlib as mpl

    logging.getLogger("matplotlib").setLevel(logging.WARNING)  # it tells of its fonts
    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "hivemart"
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 8), layout="constrained")
    load, replicas, bad = figure.subplots(3, 1, sharex=True, height_ratios=(1, 2, 1))
    some = next(iter(runs.values()))
    times = np.arange(len(some.trace.rate)) * BIN / 60
    thin = max(1, len(times) // 4000)
    load.plot(times[::thin], some.trace.rate[::thin], color="black", linewidth=1)
    load.set(title=title, ylabel="requests/s", ylim=(0, None))
    needs = demanded(some.trace.rate, some.setup)
    replicas.plot(times[::thin], needs[::thin], color="black", linewidth=2, alpha=0.4, label="needed")
    for name, run in runs.items():
        _draw(name, run, replicas, bad)
    replicas.set(ylabel="replicas that serve", ylim=(0, None))
    replicas.legend(loc="upper right", ncols=4, fontsize="small")
    bad.set(ylabel="slow or failed, %", xlabel="minutes", ylim=(0, 105))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="svg", metadata={"Date": None})


def _draw(name: str, run: Run, replicas: Any, bad: Any) -> None:
    colour = COLOURS.get(name)
    end = run.trace.seconds
    times = [at / 60 for at, _ in run.ready] + [end / 60]
    counts = [count for _, count in run.ready]
    replicas.step(times, [*counts, counts[-1]], where="post", color=colour, linewidth=1.2, label=name)
    windows = int(end) // WINDOW
    total = run.world.total[: windows * WINDOW].reshape(windows, WINDOW).sum(axis=1)
    failed = run.world.bad[: windows * WINDOW].reshape(windows, WINDOW).sum(axis=1)
    share = 100 * failed / np.maximum(total, 1)
    bad.plot(np.arange(windows) * WINDOW / 60, share, color=colour, linewidth=0.8)
