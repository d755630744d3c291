"""The commands as processes."""

import json
import os
import signal
import socket
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


def test_a_write_that_is_on_its_way_when_it_is_told_to_end_is_finished_and_recorded(bench, tmp_path):
    bench.world.services["id-h6bench_web"]["Spec"]["Labels"]["autoscale.min"] = "4"
    write = "/services/id-h6bench_web/update"
    bench.world.faults = {write: "slow"}
    with subprocess.Popen(
        [sys.executable, "manage.py", "autoscale"],
        cwd=ROOT, env=environment(bench, tmp_path), stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        _until(lambda: ("POST", write) in bench.world.calls)
        process.send_signal(signal.SIGTERM)
        code = process.wait(60)
        said = process.stderr.read()

    last = json.loads((tmp_path / "data" / "decisions.jsonl").read_text().splitlines()[-1])
    assert (code, bench.world.writes, bench.replicas()) == (0, [("h6bench_web", 4)], 4)
    assert (last["rule"], last["from"], last["to"], last["outcome"]) == ("min", 2, 4, "applied")
    assert "Traceback" not in said


def test_the_page_comes_along_is_started_again_when_it_ends_and_ends_with_the_loop(bench, tmp_path):
    from chassis.testing.couch import free_port

    page = free_port()
    env = environment(bench, tmp_path, free_port()) | {"WEB_BIND": f"127.0.0.1:{page}"}
    with subprocess.Popen(
        [sys.executable, "manage.py", "autoscale", "--page"],
        cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        _until(lambda: _serves(page))
        (first,) = _children(process.pid)
        os.kill(first, signal.SIGKILL)
        _until(lambda: _children(process.pid) not in ([], [first]) and _serves(page))
        (second,) = _children(process.pid)
        process.send_signal(signal.SIGTERM)
        code = process.wait(60)
        said = process.stderr.read()

    assert code == 0
    assert not Path(f"/proc/{second}").exists()
    assert "the page's server ended with -9, again in 2.0 s" in said
    assert "Traceback" not in said


def test_a_dry_run_can_look_at_docker_itself_and_to_act_the_proxy_is_needed(bench, tmp_path):
    env = environment(bench, tmp_path) | {"DOCKER_PROXY": bench.docker_host}

    def once(*options):
        return subprocess.run(  # noqa: S603
            [sys.executable, "manage.py", "autoscale", "--once", *options],
            cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    dry, acting = once("--dry-run"), once()

    assert (dry.returncode, json.loads(dry.stdout)["service"]) == (0, "web")
    assert (acting.returncode, acting.stdout) == (1, "")
    assert "Docker: held: 404" in acting.stderr
    assert bench.world.writes == []


def _serves(port):
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False


def _children(pid):
    return [
        int(child)
        for child in Path(f"/proc/{pid}/task").glob("*/children")
        for child in child.read_text().split()
    ]


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
