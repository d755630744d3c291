"""Background jobs, and jobs sent to Redis."""

from __future__ import annotations

import threading
import time

from chassis.background import Job, run_all
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
