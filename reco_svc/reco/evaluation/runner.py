"""The runner of an evaluation: every method on the same split, each in processes of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from reco.evaluation import protocols
from reco.evaluation.interaction_log import InvalidData, Log
from reco.evaluation.methods import NAMES

KEYS = ("ndcg_at_10", "hr_at_10", "coverage", "fit_cpu_s", "peak_mb", "us_per_list")
SERVICE = Path(__file__).resolve().parents[2]
# One thread, so that seconds of CPU compare; BLAS would spin on the other cores.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

Row = dict[str, Any]


def parse_methods(methods: str, protocol: str, json_path: str) -> list[str]:
    """Return the names of the methods of a comma-separated list; raises InvalidData."""
    names = list(dict.fromkeys(name.strip() for name in methods.split(",") if name.strip()))
    unknown = [name for name in names if name not in NAMES]
    if unknown or not names:
        raise InvalidData(
            f"unknown method {', '.join(unknown) or repr(methods)}; there are {', '.join(NAMES)}"
        )
    if protocol not in protocols.PROTOCOLS:
        raise InvalidData(f"unknown protocol {protocol!r}; there are {', '.join(protocols.PROTOCOLS)}")
    if json_path and not Path(json_path).resolve().parent.is_dir():
        raise InvalidData(f"{json_path}: no such folder")
    return names


def run(log: Log, protocol: str, names: Sequence[str], say: Callable[[str], None]) -> dict[str, Row]:
    """Return the figures, parameters and tuning time of every method, or its `error`."""
    validation, test = protocols.split(log, protocol)
    say(
        f"{len(log.item)} events, {log.items} products; "
        f"{validation.queries} questions validate, {test.queries} test"
    )
    if not validation.queries:
        say("nothing to validate on: every method takes its first parameters")
    with tempfile.TemporaryDirectory(prefix="evaluate-") as folder:
        protocols.save(validation, Path(folder) / "validation.npz")
        protocols.save(test, Path(folder) / "test.npz")
        return {name: _method(folder, name, say) for name in names}


def _method(folder: str, name: str, say: Callable[[str], None]) -> Row:
    say(f"{name}: tuning")
    tuned = _worker("tune", folder, name)
    if "error" in tuned:
        return _failed(name, tuned["error"], say)
    say(f"{name}: fitting with {json.dumps(tuned['parameters'])}")
    row = _worker("measure", folder, name, json.dumps(tuned["parameters"]))
    return _failed(name, row["error"], say) if "error" in row else {**row, **tuned}


def _failed(name: str, error: str, say: Callable[[str], None]) -> Row:
    say(f"{name}: {error}")
    return {**dict.fromkeys(KEYS), "error": error}


def _worker(stage: str, folder: str, name: str, text: str = "") -> Row:
    command = [sys.executable, "-m", "reco.evaluation.worker", stage, folder, name]
    env = {**os.environ, **ONE_THREAD}
    done = subprocess.run(  # noqa: S603 -- our own module, a method of NAMES
        command, cwd=SERVICE, env=env, input=text, text=True, capture_output=True, check=False
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"ended with {done.returncode}"]
        return {"error": last[0] if done.returncode > 0 else f"killed by signal {-done.returncode}"}
    answer: Row = json.loads(done.stdout)
    return answer
