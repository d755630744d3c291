"""Background jobs of a service: relays, followers and sweepers, as threads of `manage.py background`.

What each replica must do for itself may run in its web server instead.
"""

from __future__ import annotations

import fcntl
import logging
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_GRACE_SECONDS = 3.0


@dataclass(frozen=True)
class Job:
    """One thing that goes on for ever.

    With `every` (seconds) `run()` is called without arguments, again and again, at about that distance.
    Without it `run(stop)` is called once and returns soon after the event `stop` is set.

    A `replica` job makes what the web server beside it reads, such as a read model on local disk: each
    replica needs it, and where they share no disk, it runs in the web server (REPLICA_JOBS).
    """

    name: str
    run: Callable[..., Any]
    every: float | None = None
    replica: bool = False


def shared(jobs: Sequence[Job]) -> list[Job]:
    """Those that run once, however many replicas there are."""
    return [job for job in jobs if not job.replica]


def run_replica_jobs(jobs: Sequence[Job], folder: Path, stop: threading.Event) -> threading.Thread:
    """Run the replica's own jobs in a thread until `stop` is set.

    One process of those that share `folder` does so: the first that locks a file there. When that one ends,
    another takes over.
    """
    own = [job for job in jobs if job.replica]

    def work() -> None:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "replica-jobs.lock").open("a") as lock:
            while not stop.is_set():
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    stop.wait(_FIRST_PAUSE)
                else:
                    run_all(own, stop)

    thread = threading.Thread(target=work if own else lambda: None, name="replica jobs", daemon=True)
    thread.start()
    return thread


def run_all(jobs: Sequence[Job], stop: threading.Event) -> None:
    """Run the jobs as threads until `stop` is set.

    Threads that are still busy 3 s later are left behind: whatever they do must survive a kill anyway.
    """
    threads = [
        threading.Thread(target=keep_running, args=(job, stop), name=job.name, daemon=True) for job in jobs
    ]
    for thread in threads:
        thread.start()
    stop.wait()
    for thread in threads:
        thread.join(_GRACE_SECONDS / max(len(threads), 1))


def keep_running(job: Job, stop: threading.Event) -> None:
    """Run one job; when it fails, say so and run it again after 0.5 s, doubling to 30 s."""
    pause = _FIRST_PAUSE
    if job.every is not None:
        stop.wait(random.uniform(0, min(job.every, 2.0)))  # noqa: S311 - replicas should not act in step
    while not stop.is_set():
        try:
            _run_once(job, stop)
            pause = _FIRST_PAUSE
        except Exception:
            log.exception("background job %s failed, again in %.1f s", job.name, pause)
            stop.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)


def _run_once(job: Job, stop: threading.Event) -> None:
    if job.every is None:
        job.run(stop)
        if not stop.is_set():
            raise RuntimeError("it ended by itself")
        return
    job.run()
    stop.wait(job.every * random.uniform(0.9, 1.1))  # noqa: S311 - replicas should not act in step
