"""A trace as real load: bounded, on time, and judged as the simulator is."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from benches import STACK, FakeBench
from django.core.management import CommandError, call_command

from autoscaling.replay.bounds import NotAllowed, check_size, check_target
from autoscaling.replay.sending import Request, Seen, moments
from autoscaling.replay.watching import Watcher
from autoscaling.simulator.traces import Trace


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000", "https://localhost:8443", "http://[::1]:1", "http://inner:8001"]
)
def test_this_machine_and_the_own_stack_are_allowed(url):
    check_target(url)


@pytest.mark.parametrize(
    "url", ["http://192.0.2.1", "ftp://127.0.0.1", "http://", "http://0.0.0.0:80", "nonsense"]
)
def test_everything_else_is_not(url):
    with pytest.raises(NotAllowed):
        check_target(url)


@pytest.mark.parametrize(("rate", "seconds"), [(501, 10), (10, 20_000)])
def test_a_load_without_measure_is_refused(rate, seconds):
    with pytest.raises(NotAllowed):
        check_size(rate, seconds)


def test_requests_are_due_as_often_as_the_trace_says():
    trace = Trace("t", np.concatenate([np.full(600, 50.0), np.zeros(100), np.full(600, 100.0)]))

    due = np.array(list(moments(trace, 1)))

    assert abs((due < 60).sum() - 3000) < 200
    assert ((due > 60.1) & (due < 70)).sum() == 0
    assert abs((due > 70).sum() - 6000) < 300
    assert (np.diff(due) > 0).all()
    assert due[-1] <= 130


def test_slow_failed_and_throttled_requests_are_bad():
    seen = Seen.of(10)

    for took, status in ((0.1, 200), (0.6, 200), (0.1, 503), (0.1, 429), (0.1, 0), (0.1, 404)):
        seen.take(3.5, took, status)

    assert (seen.total[3], seen.bad[3], seen.refused, len(seen.latencies)) == (6, 4, 3, 3)


def test_a_request_says_where_it_goes_and_that_it_ends():
    text = Request("POST", "/api/auth/token", b"{}").over("localhost:8443")

    assert text.startswith(b"POST /api/auth/token HTTP/1.1\r\nHost: localhost:8443\r\nConnection: close\r\n")
    assert text.endswith(b"Content-Length: 2\r\n\r\n{}")


@pytest.fixture
def bench(tmp_path):
    with FakeBench(tmp_path).running() as made:
        yield made


def test_replicas_are_followed_as_steps(bench):
    now = [0.0]
    watcher = Watcher(bench.docker(), f"{STACK}_web", clock=lambda: now[0])
    docker = bench.docker()

    for at, replicas in ((0, 2), (5, 4), (6, 4), (9, 3)):
        now[0] = at
        (service,) = docker.look().services
        if service.replicas != replicas:
            docker.scale(service, replicas)
        watcher.look()

    assert watcher.wanted == [(0, 2), (5, 4), (9, 3)]
    assert watcher.ready == watcher.wanted
    assert [(call.at, call.before, call.after) for call in watcher.calls] == [(5, 2, 4), (9, 4, 3)]


class Shop(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *args):
        """Nothing."""


def test_a_replay_writes_the_simulators_figures(bench, tmp_path):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    out = tmp_path / "out.json"

    call_command(
        "replay", trace="constant", scale=0.2, seconds=3.0, url=f"http://127.0.0.1:{server.server_port}",
        service=f"{STACK}_web", docker=bench.docker_host, json=out,
    )  # fmt: skip
    server.shutdown()
    server.server_close()

    figures = json.loads(out.read_text())["constant"]["deployed"]
    assert (figures["bad_percent"], figures["reversals_per_hour"]) == (0, 0)
    assert figures["cost_ratio"] > 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"trace": "nothing"}, "neither a file"),
        ({"trace": "step", "scale": 9.0}, "more than 500"),
        ({"trace": "step", "url": "http://192.0.2.1"}, "not this machine"),
        ({"trace": "step", "service": "nobody"}, "is not there"),
    ],
)
def test_what_cannot_be_replayed_is_said(bench, options, said):
    with pytest.raises(CommandError, match=said):
        call_command("replay", **{"docker": bench.docker_host, "url": "http://127.0.0.1:1", **options})
