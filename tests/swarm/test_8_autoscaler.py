"""The deployed autoscaler sees a step of load and asks for more; nobody gets a failed answer.

`AUTOSCALE_STEPS` says how many steps are measured, 3 without. Between them a person scales down, for time's
sake: the policy itself settles for five cooldowns first.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest

from tests.swarm.load import percentiles
from tests.swarm.shoppers import Server, Shopper

pytestmark = pytest.mark.swarm

STEPS = int(os.environ.get("AUTOSCALE_STEPS") or 3)
SERVICE = "catalog"
# A replica is said to be worth little CPU, so that a step fits on a small machine beside what sends it.
LABELS = {"cpu_target": "0.12", "cooldown": "10", "min": "1", "max": "3"}
QUIET, BUSY, REST = 4.0, 150.0, 75.0  # searches a second, none cached; seconds until a burst is forgotten
FORGOTTEN = 30.0  # seconds after which a browser uses no connection any more
READ = "import sys; sys.stdout.write(open('/data/decisions.jsonl').read()[-200000:])"


class Searching:
    """Searches at a rate that can be changed; every answer is noted."""

    def __init__(self, url: str) -> None:
        self.rate, self.wrong, self.ms = QUIET, [], []  # type: ignore[var-annotated]
        self._server, self._stop = Server(url), threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._shoppers: list[Shopper] = []

    def __enter__(self) -> Searching:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        for who in self._shoppers:
            who.leave()

    def _run(self) -> None:
        shoppers = threading.local()
        due, number = time.monotonic(), 0
        with ThreadPoolExecutor(48) as pool:
            while not self._stop.wait(max(0.0, due - time.monotonic())):
                due, number = max(due, time.monotonic() - 1) + 1 / self.rate, number + 1
                pool.submit(self._one, shoppers, number)

    def _one(self, shoppers: threading.local, number: int) -> None:
        if not hasattr(shoppers, "who"):
            shoppers.who, shoppers.last = Shopper(self._server, keeps=True), 0.0
            self._shoppers.append(shoppers.who)
        who, began = shoppers.who, time.monotonic()
        if began - shoppers.last > FORGOTTEN:  # the gateway ends what is idle for 65 s
            who.leave()
        shoppers.last = began
        try:
            status, body = who.ask("GET", f"/api/catalog/products?q=bowl&limit=24&min_price={number}")
            self.wrong += [] if status == 200 else [f"{status} {body[:160]!r}"]
        except OSError as error:
            self.wrong.append(repr(error))
        self.ms.append((time.monotonic() - began) * 1000)


def decisions(stack) -> list[dict[str, Any]]:
    """What was decided for the service and written, oldest first."""
    lines = stack.run_in("autoscale", "python", "-c", READ).decode().splitlines()
    found = [json.loads(line) for line in lines if line.endswith("}") and line.startswith("{")]
    return [one for one in found if one["service"] == SERVICE and one["outcome"] == "applied"]


def moment(task: dict[str, Any]) -> float:
    return datetime.fromisoformat(task["Status"]["Timestamp"][:26].rstrip("Z") + "+00:00").timestamp()


@pytest.fixture(scope="module")
def looked_after(stack) -> Iterator[Any]:
    """The stack with the autoscaler that the other tests do without."""
    stack.swarm("deploy")
    stack.wait_for("ok")
    with stack.labelled([SERVICE], **LABELS):
        yield stack
    stack.without_autoscaler()


@pytest.fixture
def searching(looked_after) -> Iterator[Searching]:
    """A few searches a second at one replica; none of them may fail."""
    with Searching(looked_after.url) as searching:
        yield searching
        time.sleep(8)  # those that go serve on for a while
    assert searching.wrong == []


def one_replica(stack) -> None:
    """A person scales down, when the last burst is forgotten."""
    time.sleep(REST)
    stack.scale(SERVICE, 1)
    stack.until(lambda: len(stack.tasks(SERVICE)) == 1, 60, "one replica")
    time.sleep(8)


def step(stack, searching: Searching) -> tuple[float, float]:
    """Seconds from the first request of a step to the scale call, and to the first healthy new replica."""
    known = {task["ID"] for task in stack.tasks(SERVICE)}
    began = time.time()
    searching.rate = BUSY
    stack.until(lambda: len(stack.tasks(SERVICE)) > 1, 60, "a second replica")
    new = [task for task in stack.tasks(SERVICE) if task["ID"] not in known]
    searching.rate = QUIET
    call = min(one["at"] for one in decisions(stack) if one["at"] > began)
    return call - began, min(map(moment, new)) - began


def test_a_step_of_load_is_met_within_seconds_and_no_request_fails(looked_after, searching, figures):
    stack, calls, starts = looked_after, [], []

    for _ in range(STEPS):
        one_replica(stack)
        call, start = step(stack, searching)
        calls.append(call)
        starts.append(start)

    figures.put("steps of load", len(calls))
    figures.put("step to scale call, s", rounded(calls))
    figures.put("step to first healthy new replica, s", rounded(starts))
    figures.put("searches in steps, failed", [len(searching.ms), len(searching.wrong)])
    assert percentiles(calls)["p95"] <= 4
    assert percentiles(starts)["p95"] <= 8


def test_when_the_load_has_gone_the_service_goes_back_to_its_minimum(looked_after, searching, figures):
    stack = looked_after
    one_replica(stack)
    step(stack, searching)
    began = time.time()

    stack.until(lambda: len(stack.tasks(SERVICE)) == 1, 300, "one replica again")

    figures.put("back at the minimum after, s", round(time.time() - began, 1))
    back = [one for one in decisions(stack) if one["at"] > began]
    assert {one["rule"] for one in back} == {"down"}
    assert back[-1]["to"] == 1


def rounded(values: list[float]) -> dict[str, float]:
    return {name: round(value, 1) for name, value in percentiles(values).items()}
