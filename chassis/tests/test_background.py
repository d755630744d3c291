"""Background jobs, and jobs sent to Redis."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from chassis.background import Job, run_all, run_replica_jobs, shared
from chassis.jobs import Sender


def test_a_crashed_job_is_started_again_and_others_go_on() -> None:
    stop, ran, ticks = threading.Event(), [], []

    def crash(stop: threading.Event) -> None:
        ran.append(1)
        if len(ran) == 1:
            raise ConnectionError("crashed")
        stop.wait()

    jobs = [Job("crash", run=crash), Job("tick", run=lambda: ticks.append(1), every=0.01)]
    runner = threading.Thread(target=run_all, args=(jobs, stop))
    runner.start()
    end = time.monotonic() + 5
    while len(ran) < 2 and time.monotonic() < end:
        time.sleep(0.01)
    stop.set()
    runner.join(5)

    assert len(ran) == 2
    assert len(ticks) > 2
    assert not runner.is_alive()


def test_a_job_is_sent() -> None:
    sent: list[object] = []
    sender = Sender(lambda *what: sent.append(what))

    assert sender.send("catalog.render", (1,), "catalog") is True
    assert sent == [("catalog.render", (1,), "catalog")]


def test_a_stuck_redis_costs_200_ms_once() -> None:
    release = threading.Event()
    sender = Sender(lambda *what: release.wait(5))
    begin = time.monotonic()

    first, second = sender.send("t", (), "q"), sender.send("t", (), "q")

    release.set()
    assert (first, second) == (False, False)
    assert time.monotonic() - begin < 0.5


def test_without_redis_sending_fails_soon() -> None:
    from chassis import jobs

    begin = time.monotonic()

    assert jobs.send("catalog.render", "x") is False
    assert time.monotonic() - begin < 0.5


def test_what_each_replica_needs_for_itself_is_not_shared() -> None:
    relay, index = Job("relay", run=lambda: None, every=1), Job("index", run=lambda: None, replica=True)

    assert shared([relay, index]) == [relay]


def test_one_of_several_workers_does_the_replicas_jobs_and_another_takes_over(tmp_path: Path) -> None:
    ran: list[str] = []
    first, second = threading.Event(), threading.Event()

    def start(name: str, stop: threading.Event) -> threading.Thread:
        def index(stop: threading.Event) -> None:
            ran.append(name)
            stop.wait()

        return run_replica_jobs([Job("index", run=index, replica=True)], tmp_path / "data", stop)

    one = start("one", first)
    wait_until(lambda: ran == ["one"])
    two = start("two", second)
    before = list(ran)
    first.set()
    one.join(5)
    wait_until(lambda: ran == ["one", "two"])
    second.set()
    two.join(5)

    assert (before, ran) == (["one"], ["one", "two"])
    assert not one.is_alive()
    assert not two.is_alive()


def wait_until(done: Callable[[], bool], seconds: float = 5) -> None:
    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        time.sleep(0.01)
