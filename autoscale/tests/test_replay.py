"""A trace as real load: bounded, on time, and judged as the simulator is."""

import asyncio
import json
import re
import signal
import ssl
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from benches import STACK, FakeBench
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from django.core.management import CommandError, call_command
from interrupts import heard

from autoscaling.replay import running
from autoscaling.replay.bounds import NotAllowed, check_request, check_size, check_target
from autoscaling.replay.sending import Request, Seen, Sender, moments
from autoscaling.replay.watching import Watcher
from autoscaling.simulator import compare, metrics, report
from autoscaling.simulator import traces as loads
from autoscaling.simulator.engine import Setup
from autoscaling.simulator.traces import Trace

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000", "https://localhost:8443", "http://[::1]:1", "http://inner:8001"]
)
def test_this_machine_and_the_own_stack_are_allowed(url):
    check_target(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://192.0.2.1",
        "ftp://127.0.0.1",
        "http://",
        "http://0.0.0.0:80",
        "nonsense",
        "",
        "http://[::1",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:port",
        "http://127.0.0.1@192.0.2.1",
        "http://somebody@127.0.0.1",
        "http://127.0.0.1/api",
        "http://127.0.0.1?x",
        "http://a..b",
    ],
)
def test_everything_else_is_not(url):
    with pytest.raises(NotAllowed):
        check_target(url)


def test_a_request_is_a_method_and_a_path():
    assert check_request("post /api/auth/token?a=b") == ("POST", "/api/auth/token?a=b")


@pytest.mark.parametrize(
    "text", ["", "GET", "/path", "GET path", "GET /a b", "GET /\r\nX: y", "GET /ü", "G\n /", "GET http://a/"]
)
def test_everything_else_is_no_request(text):
    with pytest.raises(NotAllowed):
        check_request(text)


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
    """With a cache, as the gateway has one."""

    def do_GET(self):
        self.server.asked += 1
        self.send_response(200)
        self.send_header("X-Cache", "HIT" if self.path in self.server.paths else "MISS")
        self.end_headers()
        self.server.paths.add(self.path)
        self.wfile.write(b"{}")

    def log_message(self, *args):
        """Nothing."""


@pytest.fixture
def shop():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    server.asked, server.paths = 0, set()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_replay_writes_the_simulators_figures_and_chart(bench, shop, tmp_path):
    out, chart = tmp_path / "out.json", tmp_path / "chart.svg"

    call_command(
        "replay", trace="constant", scale=0.2, seconds=3.0, url=f"http://127.0.0.1:{shop.server_port}",
        service=f"{STACK}_web", docker=bench.docker_host, json=out, chart=chart,
    )  # fmt: skip

    figures = json.loads(out.read_text())["constant"]["deployed"]
    simulated = compare.compare(compare.loader("constant", 0.2), ["default"], Setup(), [1])
    assert list(figures) == list(simulated.figures["default"])
    assert figures["reversals_per_hour"] == 0
    assert figures["cost_ratio"] == 2.0  # of two replicas where one is enough, and the label's minimum is one
    report.chart("constant", {"deployed": simulated.runs["default"]}, tmp_path / "simulated.svg")
    panels = [set(re.findall(r"<!-- ([a-z][^>]*?) -->", each.read_text())) for each in tmp_path.glob("*.svg")]
    assert {"requests/s", "replicas that serve", "slow or failed, %", "minutes", "deployed"} <= panels[0]
    assert panels[0] == panels[1]


def test_no_two_requests_of_a_replay_are_the_same_so_that_each_reaches_the_service(bench, shop, capsys):
    where = {"url": f"http://127.0.0.1:{shop.server_port}", "service": f"{STACK}_web"}

    call_command("replay", trace="constant", scale=0.2, seconds=1.0, docker=bench.docker_host, **where)

    assert shop.asked == len(shop.paths) > 5
    assert "cache" not in capsys.readouterr().err


def test_a_replay_that_only_asks_the_cache_says_so(bench, shop, capsys):
    where = {"url": f"http://127.0.0.1:{shop.server_port}", "service": f"{STACK}_web"}

    call_command(
        "replay",
        trace="constant",
        scale=0.2,
        seconds=1.0,
        docker=bench.docker_host,
        request="GET /a",
        **where,
    )

    assert f"{shop.asked - 1} answers came from the gateway's cache" in capsys.readouterr().err


def signed_by_itself() -> bytes:
    """Return a key and a certificate for another name, PEM."""
    key, name = Ed25519PrivateKey.generate(), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop")])
    day = datetime(2026, 1, 1, tzinfo=UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, day, day + timedelta(days=3650))
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return secret + made.sign(key, None).public_bytes(Encoding.PEM)


def test_a_shop_that_signed_its_own_certificate_is_asked_all_the_same(shop, tmp_path):
    path = tmp_path / "both.pem"
    path.write_bytes(signed_by_itself())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    shop.socket = context.wrap_socket(shop.socket, server_side=True)
    sender = Sender(f"https://127.0.0.1:{shop.server_port}", Request("GET", "/"))

    statuses = [asyncio.run(sender.first()) for _ in range(3)]

    assert statuses == [200, 200, 200]
    assert shop.asked == 3


def test_a_run_that_was_seen_is_judged_as_a_run_that_was_simulated():
    """The same replicas, calls and requests give the same figures."""
    ran = compare.run_one(loads.flash(), "default", Setup(), 1)
    steps = SimpleNamespace(calls=ran.calls, wanted=ran.wanted, ready=ran.ready, start=int, stop=int)
    sender = Playback(ran.world)

    done = running.replay(ran.trace, ran.setup, sender, steps, 1)

    cost = compare.oracle_cost(ran.trace, ran.setup, 1)
    assert metrics.figures(done.run, cost) == metrics.figures(ran, cost)
    assert done.whole


class Playback:
    """Takes the place of who sends: what became of a simulation's requests."""

    def __init__(self, world):
        self.world = world

    async def run(self, trace, seed, seen):
        seen.total[:], seen.bad[:] = self.world.total, self.world.bad
        seen.refused = int(self.world.counts[2])


def test_ctrl_c_ends_a_replay_with_the_figures_of_what_was_sent(bench, shop, tmp_path):
    out = tmp_path / "out.json"
    command = [
        sys.executable, "manage.py", "replay", "--trace", "constant", "--scale", "0.2",
        "--url", f"http://127.0.0.1:{shop.server_port}", "--service", f"{STACK}_web",
        "--docker", bench.docker_host, "--json", str(out),
    ]  # fmt: skip
    with subprocess.Popen(  # noqa: S603 -- our own
        command,
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heard,  # noqa: PLW1509
    ) as process:
        while shop.asked < 30 and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()

    assert process.returncode == 130
    assert "interrupted after" in said
    assert "Traceback" not in said
    assert json.loads(out.read_text())["constant"]["deployed"]["cost_ratio"] == 2.0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"trace": "nothing"}, "neither a file"),
        ({"trace": "step", "scale": 9.0}, "more than 500"),
        ({"trace": "step", "url": "http://192.0.2.1"}, "not this machine"),
        ({"trace": "step", "service": "nobody"}, f"nobody is not there; there are {STACK}_web"),
        ({"trace": "step", "url": "http://127.0.0.1:nine"}, "Port could not be cast"),
        ({"trace": "step", "request": "GET"}, "not a method and a path"),
        ({"trace": "step", "service": f"{STACK}_web"}, "http://127.0.0.1:1 does not answer"),
        ({"trace": "step", "docker": "unix:///nowhere/docker.sock"}, "Docker does not answer.*FileNotFound"),
    ],
)
def test_what_cannot_be_replayed_is_said(bench, options, said):
    with pytest.raises(CommandError, match=said):
        call_command("replay", **{"docker": bench.docker_host, "url": "http://127.0.0.1:1", **options})


def test_a_swarm_without_the_stack_says_to_deploy_it(bench):
    bench.remove()

    with pytest.raises(CommandError, match="hivemart_catalog is not there; make deploy first"):
        call_command("replay", trace="step", docker=bench.docker_host)


@pytest.mark.parametrize("option", ["scale", "seconds", "demand"])
@pytest.mark.parametrize("value", ["0", "-1", "nan", "much"])
def test_an_amount_is_a_positive_number(option, value):
    with pytest.raises(CommandError, match="not a positive number"):
        call_command("replay", "--trace", "step", f"--{option}={value}")
