"""The spike's report, and what is refused before anything is sent."""

import re
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from docker.errors import DockerException

from swarm.cluster import Failed
from swarm.load import report
from swarm.load.spike import Run, SwarmSample, read_history, read_phases, sample, spike
from swarm.options import BadOption

HEADER = (
    "Timestamp,User Count,Type,Name,Requests/s,Failures/s,50%,66%,75%,80%,90%,95%,98%,99%,99.9%,99.99%,100%,"
    "Total Request Count,Total Failure Count,Total Median Response Time,Total Average Response Time\n"
)


def looked(at, wanted, ready):
    return SwarmSample(at, {"auth": wanted}, {"auth": ready}, Counter({("n1", "auth"): ready}))


@pytest.fixture
def run():
    samples = [looked(0, 1, 1), looked(32, 5, 1), looked(37, 5, 5), looked(200, 1, 1)]
    return Run(["n1", "n2"], samples, 30.0, 120.0)


def test_the_history_of_locust_is_read(tmp_path):
    path = tmp_path / "history.csv"
    rows = (
        "1000,2,,Aggregated,2.0,0.0"
        + ",N/A" * 11
        + ",0,0,0,0\n1001,2,POST,log in,9,9"
        + ",1" * 11
        + ",1,1,1,1\n"
    )
    path.write_text(HEADER + rows + "1002,2,,Aggregated,3.5,0.5" + ",40" * 11 + ",7,1,40,40\n")

    history = read_history(path, 999.5)

    assert [(row["at"], row["rate"], row["late"], row["failed"]) for row in history] == [
        (0.5, 2, 0, 0),
        (2.5, 3.5, 40, 1),
    ]


def test_a_missing_history_of_locust_is_an_error(tmp_path):
    with pytest.raises(Failed, match="no figures"):
        read_history(tmp_path / "missing.csv", 0.0)
    with pytest.raises(Failed, match="before the flood began"):
        read_phases(tmp_path / "missing.txt", 0.0)


def test_the_flood_begins_when_locust_says_so_and_not_when_it_was_started(tmp_path):
    (tmp_path / "phases.txt").write_text("before 1003.5\nflood 1033.75\n")

    assert read_phases(tmp_path / "phases.txt", 1000.0) == {"before": 3.5, "flood": 33.75}


def test_the_report_shows_the_reaction_time_and_the_replicas(run):
    run.history = [
        {
            "at": 1.0,
            "rate": 30.0,
            "failures": 0,
            "median": 80.0,
            "late": 450.0,
            "requests": 1000.0,
            "failed": 5.0,
        }
    ]

    report_text = report.text(run)

    assert "1000 log-ins, 5 failed (0.50 %)" in report_text
    assert "First scale call after it began: 2.0 s. Slowest 5 % of a moment: 450 ms." in report_text
    assert "| auth | 1 | 5 | 1 |" in report_text


def test_a_run_without_a_scale_call_says_so(run):
    run.samples = [looked(at, 1, 1) for at in range(3)]

    assert "First scale call after it began: none" in report.text(run)


def shop(services=("auth",)):
    found = {
        name: {"ID": f"id-{name}", "Spec": {"Mode": {"Replicated": {"Replicas": 2}}}} for name in services
    }
    task = {"NodeID": "a", "DesiredState": "running", "Status": {"State": "running"}}
    waiting = {**task, "Status": {"State": "starting"}}
    return SimpleNamespace(
        stack="shop", services=lambda: found, tasks=lambda: {"id-auth": [task, waiting]},
        nodes=list, options=SimpleNamespace(tls=True, https_port=8443, http_port=80),
    )  # fmt: skip


def test_only_what_runs_is_counted():
    seen = sample(shop(), {"a": "n1"}, 1.0)

    assert (seen.wanted, seen.ready, dict(seen.tasks)) == ({"auth": 2}, {"auth": 1}, {("n1", "auth"): 1})


@pytest.mark.parametrize("rate", ["0", "201", "many", "-1"])
def test_an_invalid_rate_is_refused(rate):
    with pytest.raises(BadOption):
        spike(shop(), rate, "")


@pytest.mark.parametrize(
    "url",
    [
        "http://192.0.2.1", "http://0.0.0.0", "nonsense", "ftp://127.0.0.1", "http://[::1",
        "http://127.0.0.1:port", "http://127.0.0.1/path", "http://somebody@127.0.0.1",
    ],
)  # fmt: skip
def test_load_goes_to_this_machine_only(url):
    with pytest.raises(BadOption):
        spike(shop(), "", "", url)


def test_without_a_deployed_shop_nothing_is_sent():
    with pytest.raises(Failed, match="no auth service"):
        spike(shop(()), "", "")


@pytest.mark.parametrize("value", ["0", "-5", "soon", "100000"])
def test_an_invalid_phase_is_refused(monkeypatch, tmp_path, value):
    monkeypatch.setenv("SPIKE_SECONDS", value)

    with pytest.raises(BadOption, match="SPIKE_SECONDS"):
        spike(shop(), "", str(tmp_path), "http://127.0.0.1:9")


class LogIn(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.times.append(time.time())
        self.send_response(401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        """Nothing."""


class Door(ThreadingHTTPServer):
    request_queue_size = 128  # a flood of new connections waits, it is not turned away


@pytest.fixture
def door():
    server = Door(("127.0.0.1", 0), LogIn)
    server.times = []
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def scaled_at_once(door):
    """Return a shop with five replicas from the sixth log-in within a second on, whose Docker fails once."""
    made, samples = shop(), iter(range(1000))

    def services():
        if next(samples) == 3:
            raise DockerException("busy")
        late = [at for at in door.times if at > time.time() - 1]
        replicas = 5 if len(late) > 5 else 1
        return {"auth": {"ID": "id-auth", "Spec": {"Mode": {"Replicated": {"Replicas": replicas}}}}}

    made.services = services
    made.nodes = lambda: [{"ID": "a", "Description": {"Hostname": "n1"}}]
    return made


def test_a_spike_floods_the_log_in_and_reports_the_result(monkeypatch, tmp_path, door):
    for name, seconds in (("BEFORE", 3), ("SECONDS", 6), ("AFTER", 3)):
        monkeypatch.setenv(f"SPIKE_{name}", str(seconds))
    (tmp_path / "phases.txt").write_text("flood 1\n")  # of an earlier one

    path = spike(scaled_at_once(door), "20", str(tmp_path), f"http://127.0.0.1:{door.server_port}", say=str)

    report_text = path.read_text()
    known = int(re.search(r"(\d+) log-ins, 0 failed", report_text)[1])
    assert len(door.times) - 20 <= known <= len(door.times)  # the last of each user may be under way
    assert 0 <= float(re.search(r"First scale call after it began: ([\d.]+) s", report_text)[1]) < 6
    assert {each.name for each in tmp_path.glob("*.svg")} == {
        "before.svg", "height.svg", "after.svg", "time.svg",
    }  # fmt: skip
    flood = float((tmp_path / "phases.txt").read_text().split("flood ")[1].split()[0])
    assert sum(at < flood for at in door.times) < sum(at >= flood for at in door.times) / 3


def test_ctrl_c_ends_a_spike_with_a_partial_report(monkeypatch, tmp_path, door):
    monkeypatch.setenv("SPIKE_BEFORE", "1")
    made = scaled_at_once(door)
    services = made.services

    def interrupted():
        if len(door.times) > 20:
            raise KeyboardInterrupt
        return services()

    made.services = interrupted

    with pytest.raises(Failed, match="Interrupted"):
        spike(made, "20", str(tmp_path), f"http://127.0.0.1:{door.server_port}", say=str)

    assert "# A flood of log-ins" in (tmp_path / "report.md").read_text()
