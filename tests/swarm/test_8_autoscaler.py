"""The deployed autoscaler sees a step of load and asks for more; nobody gets a failed answer.

`AUTOSCALE_STEPS` says how many steps are measured, 8 without: the four services of steps.py take turns, so
that each was calm for two minutes before. Between its steps a person scales a service down, for time's sake:
the policy itself settles for five cooldowns first.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from tests.swarm.load import percentiles
from tests.swarm.steps import KINDS, Asking

pytestmark = pytest.mark.swarm

STEPS = int(os.environ.get("AUTOSCALE_STEPS") or 8)
SERVICES = [kind.service for kind in KINDS]
# A replica is said to be worth little CPU, so that a step fits on a small machine beside what sends it.
LABELS = {"cpu_target": "0.08", "cooldown": "10", "min": "1", "max": "3"}
CALM = 120.0  # seconds of little load before the first step
READ = "import sys; sys.stdout.write(open('/data/decisions.jsonl').read()[-400000:])"


def decisions(stack, service: str, since: float) -> list[dict[str, Any]]:
    """Return the decisions for the service that were written since then, oldest first."""
    lines = stack.run_in("autoscale", "python", "-c", READ).decode().splitlines()
    found = [json.loads(line) for line in lines if line.endswith("}") and line.startswith("{")]
    mine = [one for one in found if one["service"] == service and one["outcome"] == "applied"]
    return [one for one in mine if one["at"] > since]


def moment(task: dict[str, Any]) -> float:
    return datetime.fromisoformat(task["Status"]["Timestamp"][:26].rstrip("Z") + "+00:00").timestamp()


@pytest.fixture(scope="module")
def asked(stack) -> Iterator[dict[str, Asking]]:
    """Return a few requests a second for each service, and the autoscaler over them; nothing may fail."""
    stack.swarm("deploy")
    stack.wait_for("ok")
    with contextlib.ExitStack() as opened:
        opened.enter_context(stack.labelled(SERVICES, **LABELS))
        asked = {kind.service: opened.enter_context(Asking(stack.url, kind)) for kind in KINDS}
        time.sleep(CALM)
        yield asked
        time.sleep(8)  # those that go serve on for a while
    stack.without_autoscaler()
    assert {name: one.wrong for name, one in asked.items() if one.wrong} == {}


def one_replica(stack, service: str) -> None:
    """Return a person scales down, and once more where the policy thought otherwise."""
    since = 0.0
    end = time.monotonic() + 120
    while not since or time.monotonic() - since < 8:
        assert time.monotonic() < end, f"{service} does not stay at one replica"
        if len(stack.tasks(service)) != 1:
            stack.scale(service, 1)
            stack.until(lambda: len(stack.tasks(service)) == 1, 60, "one replica")
            since = time.monotonic()
        since = since or time.monotonic()
        time.sleep(0.5)


def step(stack, asking: Asking) -> tuple[float, float]:
    """Seconds from a step of load on one replica to the scale call, and to the first healthy new replica."""
    service = asking.kind.service
    one_replica(stack, service)
    known = {task["ID"] for task in stack.tasks(service)}
    began = time.time()
    asking.rate = asking.kind.busy
    try:
        stack.until(lambda: len(stack.tasks(service)) > 1, 60, f"a second replica of {service}")
    finally:
        asking.rate = asking.kind.quiet
    new = [task for task in stack.tasks(service) if task["ID"] not in known]
    return decisions(stack, service, began)[0]["at"] - began, min(map(moment, new)) - began


def test_a_step_of_load_is_met_within_seconds_and_no_request_fails(stack, asked, figures):
    calls, starts = [], []

    for number in range(STEPS):
        call, start = step(stack, asked[SERVICES[number % len(SERVICES)]])
        calls.append(call)
        starts.append(start)
        time.sleep(3)

    figures.put("steps of load", len(calls))
    figures.put("step to scale call, s", rounded(calls))
    figures.put("step to first healthy new replica, s", rounded(starts))
    figures.put(
        "each step, s", [(round(call, 1), round(start, 1)) for call, start in zip(calls, starts, strict=True)]
    )
    figures.put("requests beside the steps, failed", totals(asked))
    assert all(one.wrong == [] for one in asked.values())
    # What a request costs is known from the first step of each service on; before, CPU alone has to prove it.
    known = len(SERVICES)
    later = [rounded(calls[known:]), rounded(starts[known:])]
    figures.put("services that were busy before: to the call, to the replica, s", later)
    assert percentiles(calls[known:])["p95"] <= 4
    assert percentiles(starts[known:])["p95"] <= 8
    assert max(calls) <= 10


def test_when_the_load_has_gone_the_service_goes_back_to_its_minimum(stack, asked, figures):
    step(stack, asked["catalog"])
    began = time.time()

    stack.until(lambda: len(stack.tasks("catalog")) == 1, 300, "one replica again")

    time.sleep(8)
    figures.put("back at the minimum after, s", round(time.time() - began - 8, 1))
    figures.put("requests in all, failed", totals(asked))
    back = decisions(stack, "catalog", began)
    assert {one["rule"] for one in back} == {"down"}
    assert back[-1]["to"] == 1
    assert all(one.wrong == [] for one in asked.values())


def totals(asked: dict[str, Asking]) -> list[int]:
    return [sum(one.asked for one in asked.values()), sum(len(one.wrong) for one in asked.values())]


def rounded(values: list[float]) -> dict[str, float]:
    return {name: round(value, 1) for name, value in percentiles(values).items()}
