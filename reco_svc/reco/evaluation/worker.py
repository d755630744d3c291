"""One method in a process of its own: `python -m reco.evaluation.worker tune|measure FOLDER METHOD`.

Prints one JSON object. Tuning is another process than measuring, so that a peak of memory is that of one fit.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from reco.engine.metrics import N, measure
from reco.evaluation.methods import CannotRun, Method, Parameters, method
from reco.evaluation.protocols import Split, load


def tune(folder: Path, one: Method) -> dict[str, Any]:
    """Return the best parameters on the validation split; the first ones without queries."""
    split, started = load(folder / "validation.npz"), time.process_time()
    grid = one.grid(split)
    best = grid[0]
    if len(grid) > 1 and split.queries:
        best = max(grid, key=lambda parameters: _ndcg(one, split, parameters))
    return {"parameters": best, "tune_cpu_s": round(time.process_time() - started, 3)}


def measured(folder: Path, one: Method, parameters: Parameters) -> dict[str, Any]:
    before = memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # reset the peak: see proc(5)
    split = load(folder / "test.npz")
    started = time.process_time()
    one.fit(split, parameters)
    fitted = time.process_time()
    lists = one.rank(split, N)
    ranked = time.process_time()
    peak = memory("VmHWM") - before
    known = len(np.unique(split.arrays.product))
    figures = measure(lists, split.targets[: len(lists)], known)
    return {
        "ndcg_at_10": round(figures.ndcg, 5),
        "hr_at_10": round(figures.hit_rate, 5),
        "coverage": round(figures.coverage, 5),
        "fit_cpu_s": round(fitted - started, 4),
        "peak_mb": round(max(peak, 0) / 1024, 2),
        "us_per_list": round((ranked - fitted) / len(lists) * 1e6, 2),
        "questions": figures.queries,
    }


def _ndcg(one: Method, split: Split, parameters: Parameters) -> float:
    one.fit(split, parameters)
    lists = one.rank(split, N)
    return measure(lists, split.targets[: len(lists)], split.arrays.products).ndcg


def memory(name: str) -> int:
    """Return this process's memory in KB: VmRSS now, VmHWM at its peak."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


def main(stage: str, folder: str, name: str) -> int:
    try:
        one = method(name)
        if stage == "tune":
            answer = tune(Path(folder), one)
        else:
            answer = measured(Path(folder), one, json.load(sys.stdin))
    except (CannotRun, MemoryError) as error:
        answer = {"error": str(error) or "not enough memory"}
    sys.stdout.write(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
