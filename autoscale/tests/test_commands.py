"""The commands as processes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from benches import FakeBench

from autoscaling.clients.scraping import fetch

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def bench(tmp_path):
    with FakeBench(tmp_path).running() as made:
        yield made


def environment(bench, tmp_path, port=0):
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT.parent / "chassis"),
        "DOCKER_PROXY": bench.address,
        "AUTOSCALE_STACK": "h6bench",
        "AUTOSCALE_EVERY": "0.2",
        "AUTOSCALE_LISTEN": f"127.0.0.1:{port}",
        "NODE_AGENTS": "127.0.0.1:9",
        "GATEWAY_FIGURES_AT": "127.0.0.1:9",
        "GATEWAY_URL": "http://127.0.0.1:9",
        "DATA_DIR": str(tmp_path / "data"),
    }


def test_once_prints_one_decision_per_service_and_dry_run_writes_nothing(bench, tmp_path):
    done = subprocess.run(
        [sys.executable, "manage.py", "autoscale", "--once", "--dry-run"],
        cwd=ROOT, env=environment(bench, tmp_path), capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip

    (record,) = map(json.loads, done.stdout.splitlines())
    assert (record["service"], record["mode"], record["from"]) == ("web", "dry-run", 2)
    assert bench.world.writes == []


def test_the_loop_answers_for_itself_and_ends_cleanly_when_told_to(bench, tmp_path):
    from chassis.testing.couch import free_port

    port = free_port()
    with subprocess.Popen(
        [sys.executable, "manage.py", "autoscale"],
        cwd=ROOT, env=environment(bench, tmp_path, port), stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        _until(lambda: b'"mode": "act"' in _asked(port, "/state"))
        alive, figures = _asked(port, "/livez"), _asked(port, "/metrics")
        process.send_signal(signal.SIGTERM)
        code = process.wait(60)
        said = process.stderr.read()

    assert (alive, code) == (b"ok\n", 0)
    assert b"autoscale_acting 1.0" in figures
    assert "Traceback" not in said
    assert (tmp_path / "data" / "decisions.jsonl").read_text().count("\n") >= 1


def _asked(port, path):
    try:
        return fetch(f"127.0.0.1:{port}", path, 1)
    except OSError:
        return b""


def _until(true):
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)
