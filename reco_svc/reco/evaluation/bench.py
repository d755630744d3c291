"""`make bench-reco`: CPU and memory of a fit beside stock Surprise, lists for everyone, a large shop.

Each figure comes from a process of its own; memory is the peak of the resident set during the fit above that
after imports, so that the data counts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from reco.engine import model_fit
from reco.engine.interactions import Hyperparameters, InteractionArrays, histories
from reco.evaluation.methods import CannotRun, require_memory
from reco.evaluation.protocols import Split
from reco.evaluation.runner import ONE_THREAD, SERVICE
from reco.evaluation.synthetic import SEED, shoppers
from reco.evaluation.worker import memory

HYPERPARAMETERS = Hyperparameters(half_life=45.0, prior=0.5, history_half_life=120.0)
MIDDLE = (1_000_000, 20_000, 50_000)  # events, products, people
SMALLER = (1_000_000, 5_000, 50_000)  # if 16 GB are not free: stock needs a sixteenth
LARGE = (10_000_000, 100_000, 500_000)
PREDICTED = 3  # people for whom stock predicts every product

Figures = dict[str, float]


def ours(size: tuple[int, int, int]) -> Figures:
    """Measure a fit, and the top 10 for 5,000 people."""
    imported = memory("VmRSS")
    arrays = shoppers(*size)
    fitted, figures = _measured(lambda: model_fit.fit(arrays, HYPERPARAMETERS), imported)
    pairs = arrays.pairs("user")
    people = np.unique(pairs.owner)[:5000]
    started = time.process_time()
    asked = histories(pairs, people, arrays.products, HYPERPARAMETERS.history_half_life)
    fitted.rank(asked, asked, 10)
    return {**figures, "us_per_list": (time.process_time() - started) / len(people) * 1e6}


def stock(size: tuple[int, int, int]) -> Figures:
    """Measure KNNBasic's own fit (cosine), and `predict` of every product for a few people."""
    from surprise import KNNBasic

    from reco.evaluation.methods.stock import trainset_of

    imported = memory("VmRSS")
    require_memory(4.5 * 8 * size[1] ** 2, "stock KNNBasic (dense matrices)")
    known, items = trainset_of(_split(shoppers(*size)))
    options = {"name": "cosine", "user_based": False}
    model, figures = _measured(lambda: KNNBasic(sim_options=options, verbose=False).fit(known), imported)
    started = time.process_time()
    for person in list(known.all_users())[:PREDICTED]:
        for item in items:
            model.predict(known.to_raw_uid(person), item)
    return {**figures, "us_per_list": (time.process_time() - started) / PREDICTED * 1e6}


def serving(size: tuple[int, int, int]) -> Figures:
    """Measure single lists, like a request: histories of 20, top 12."""
    arrays = shoppers(*size)
    fitted = model_fit.fit(arrays, HYPERPARAMETERS)
    draw, took = np.random.default_rng(SEED), []
    started = time.process_time()
    for _ in range(3000):
        begun = time.thread_time()
        products = np.unique(draw.choice(fitted.popular[:5000], 20))
        weights = 0.9 ** np.arange(len(products), dtype=np.float32)
        asked = sparse.csr_matrix(
            (weights, products, [0, len(products)]), shape=(1, arrays.products), dtype=np.float32
        )
        fitted.rank(asked, asked, 12)
        took.append(time.thread_time() - begun)
    cpu = time.process_time() - started
    return {"p95_ms": float(np.percentile(took, 95) * 1e3), "lists_per_cpu_s": len(took) / cpu}


def _measured(work: Callable[[], Any], imported: float) -> tuple[Any, Figures]:
    """Run `work` and measure it; `imported` is the resident set after imports, kB."""
    Path("/proc/self/clear_refs").write_text("5")
    started = time.process_time()
    done = work()
    return done, {"cpu_s": time.process_time() - started, "peak_mb": (memory("VmHWM") - imported) / 1024}


def _split(arrays: InteractionArrays) -> Split:
    pairs, nothing = arrays.pairs("user"), sparse.csr_matrix((0, arrays.products))
    return Split(arrays, "user", np.zeros(0, dtype=int), pairs, nothing)


STAGES: dict[str, Callable[[tuple[int, int, int]], Figures]] = {
    "ours": ours,
    "stock": stock,
    "serving": serving,
}


def _run(stage: str, size: tuple[int, int, int]) -> Figures | None:
    command = [sys.executable, "-m", "reco.evaluation.bench", stage, *map(str, size)]
    env = {**os.environ, **ONE_THREAD}
    done = subprocess.run(command, cwd=SERVICE, env=env, text=True, stdout=subprocess.PIPE, check=False)  # noqa: S603 -- our own module
    if done.returncode:
        _say(f"{stage} at {size[1]:,} products could not run")
        return None
    figures: Figures = json.loads(done.stdout)
    return figures


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def bench() -> int:
    """Print the figures beside the targets of docs/recommendations.md; return 1 if one is missed."""
    _say(f"synthetic shoppers, seed {SEED}; CPU seconds, peak MB above the imports")
    mine, size, scaled = _run("ours", MIDDLE), MIDDLE, ""
    theirs = _run("stock", MIDDLE)
    if theirs is None:
        size, scaled = SMALLER, " (both at 5,000 products: the memory for stock's 20,000 is not free)"
        mine, theirs = _run("ours", size), _run("stock", size)
    large, served = _run("ours", LARGE), _run("serving", MIDDLE)
    if not (mine and theirs and large and served):
        return 1
    checks = [
        (
            f"fit, {size[1]:,} products: times less CPU{scaled}",
            theirs["cpu_s"] / mine["cpu_s"],
            15,
        ),
        ("the same: times less memory", theirs["peak_mb"] / max(1.0, mine["peak_mb"]), 12),
        ("lists for everyone: times faster than predict", theirs["us_per_list"] / mine["us_per_list"], 2000),
        ("10 million events x 100,000 products: CPU s", -large["cpu_s"], -20),
        ("the same: peak MB", -large["peak_mb"], -1536),
        ("a list of a history of 20: p95 of service time (CPU), ms", -served["p95_ms"], -5),
        ("lists per CPU second", served["lists_per_cpu_s"], 500),
    ]
    for name, value, target in checks:
        bound = "at least" if target > 0 else "at most"
        verdict = "" if value >= target else "  MISSED"
        _say(f"{name:<72} {abs(value):>10,.2f}  {bound} {abs(target):,}{verdict}")
    _say(f"ours {json.dumps(mine)}\nstock {json.dumps(theirs)}\nlarge {json.dumps(large)}")
    return int(any(value < target for _, value, target in checks))


def main(arguments: list[str]) -> int:
    if not arguments:
        return bench()
    stage, *size = arguments
    try:
        events, products, people = map(int, size)
        sys.stdout.write(json.dumps(STAGES[stage]((events, products, people))))
    except CannotRun as error:
        sys.stderr.write(f"{error}\n")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
