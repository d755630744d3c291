"""Replicas of a service over time, by looking at Docker twice a second."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Protocol

from autoscaling.domain import Cluster
from autoscaling.engine import EngineDown
from autoscaling.policy import Decision
from autoscaling.simulator.engine import Call

EVERY = 0.5
BY_DOCKER = Decision(0, "seen", "seen at Docker")


class Looks(Protocol):
    def look(self) -> Cluster: ...


class Watcher(threading.Thread):
    """`wanted` and `ready` are steps (second, replicas) from the start, as the simulator's."""

    def __init__(self, docker: Looks, service: str, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(daemon=True, name="watch")
        self._docker, self._service, self._clock = docker, service, clock
        self._stop_asked = threading.Event()
        self._began = clock()
        self.wanted: list[tuple[float, int]] = []
        self.ready: list[tuple[float, int]] = []
        self.calls: list[Call] = []

    def look(self) -> bool:
        """Whether the service is there."""
        cluster = self._docker.look()
        at = self._clock() - self._began if self.wanted else 0.0
        for service in cluster.services:
            if service.name == self._service:
                ready = sum(task.ready for task in cluster.tasks_of(service))
                self._step(self.wanted, at, service.replicas)
                self._step(self.ready, at, ready)
                return True
        return False

    def _step(self, steps: list[tuple[float, int]], at: float, count: int) -> None:
        if not steps:
            steps.append((0.0, count))
        elif steps[-1][1] != count:
            if steps is self.wanted:
                self.calls.append(Call(at, steps[-1][1], count, BY_DOCKER))
            steps.append((at, count))

    def run(self) -> None:
        self._began = self._clock()
        while not self._stop_asked.wait(EVERY):
            with contextlib.suppress(EngineDown):
                self.look()

    def stop(self) -> None:
        self._stop_asked.set()
        self.join(5)
