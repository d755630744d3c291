"""The spike's report, and what is refused before anything is sent."""

from collections import Counter
from types import SimpleNamespace

import pytest

from swarm.cluster import Failed
from swarm.load import report
from swarm.load.spike import Look, Run, look, read_history, spike
from swarm.options import BadOption

HEADER = (
    "Timestamp,User Count,Type,Name,Requests/s,Failures/s,50%,66%,75%,80%,90%,95%,98%,99%,99.9%,99.99%,100%,"
    "Total Request Count,Total Failure Count,Total Median Response Time,Total Average Response Time\n"
)


def looked(at, wanted, ready):
    return Look(at, {"auth": wanted}, {"auth": ready}, Counter({("n1", "auth"): ready}))


@pytest.fixture
def run():
    looks = [looked(0, 1, 1), looked(32, 5, 1), looked(37, 5, 5), looked(200, 1, 1)]
    return Run(["n1", "n2"], looks, 30.0, 120.0)


def test_locusts_own_figures_are_read(tmp_path, run):
    path = tmp_path / "history.csv"
    rows = (
        "1000,2,,Aggregated,2.0,0.0"
        + ",N/A" * 11
        + ",0,0,0,0\n1001,2,POST,log in,9,9"
        + ",1" * 11
        + ",1,1,1,1\n"
    )
    path.write_text(HEADER + rows + "1002,2,,Aggregated,3.5,0.5" + ",40" * 11 + ",7,1,40,40\n")

    history = read_history(path, run)

    assert [(row["at"], row["rate"], row["late"], row["failed"]) for row in history] == [
        (0, 2, 0, 0),
        (2, 3.5, 40, 1),
    ]


def test_a_locust_that_left_nothing_is_said(tmp_path, run):
    with pytest.raises(Failed, match="no figures"):
        read_history(tmp_path / "missing.csv", run)


def test_the_report_tells_the_reaction_and_the_replicas(run):
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

    told = report.text(run)

    assert "1000 log-ins, 5 failed (0.50 %)" in told
    assert "First scale call after it began: 2.0 s. Slowest 5 % of a moment: 450 ms." in told
    assert "| auth | 1 | 5 | 1 |" in told


def test_a_run_without_a_scale_call_says_so(run):
    run.looks = [looked(at, 1, 1) for at in range(3)]

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
    seen = look(shop(), {"a": "n1"}, 1.0)

    assert (seen.wanted, seen.ready, dict(seen.tasks)) == ({"auth": 2}, {"auth": 1}, {("n1", "auth"): 1})


@pytest.mark.parametrize("rate", ["0", "201", "many", "-1"])
def test_a_rate_without_measure_is_refused(rate):
    with pytest.raises(BadOption):
        spike(shop(), rate, "")


@pytest.mark.parametrize("url", ["http://192.0.2.1", "http://0.0.0.0", "nonsense"])
def test_load_goes_to_this_machine_only(url):
    with pytest.raises(BadOption):
        spike(shop(), "", "", url)


def test_without_a_deployed_shop_nothing_is_sent():
    with pytest.raises(Failed, match="no auth service"):
        spike(shop(()), "", "")
