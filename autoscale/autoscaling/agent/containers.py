"""Swarm's containers on this node, kept up to date by Docker's events.

Without control groups their counters come from `one-shot` statistics.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from autoscaling.agent.cgroups import Usage
from autoscaling.engine import EngineDown, HttpEngine, Refused

log = logging.getLogger(__name__)

SERVICE, TASK = "com.docker.swarm.service.name", "com.docker.swarm.task.id"
AGAIN = 60.0  # seconds after which the list is read even if no event came
PAUSE = 2.0  # seconds after a failure


@dataclass(frozen=True, slots=True)
class Container:
    id: str
    service: str
    task: str
    started: float


def listed(rows: Any) -> dict[str, Container]:
    """Containers by id, from /containers/json; rows that are not what they should be are left out."""
    found = {}
    for row in rows if isinstance(rows, list) else []:
        labels = row.get("Labels") or {} if isinstance(row, dict) else {}
        if SERVICE in labels and isinstance(row.get("Id"), str):
            id = row["Id"]
            found[id] = Container(id, labels[SERVICE], labels.get(TASK, ""), float(row.get("Created") or 0))
    return found


class Containers:
    """The list. A thread waits for events and reads it again; it holds the last one while Docker is away."""

    def __init__(self, engine: HttpEngine, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine, self._clock = engine, clock
        self._known: Mapping[str, Container] = {}
        self.read_at: float | None = None
        self._said = ""

    def all(self) -> list[Container]:
        return list(self._known.values())

    def read(self) -> None:
        """Read the list now. Raises EngineDown and Refused."""
        self._known = listed(self._engine.get("/containers/json", {"filters": {"label": [SERVICE]}}))
        self.read_at = self._clock()

    def follow(self, stop: threading.Event) -> None:
        """Until `stop`: the list after each event, and at least once a minute."""
        wanted = {"type": ["container"], "event": ["start", "die"], "label": [SERVICE]}
        while not stop.is_set():
            try:
                self.read()
                self._say("")
                for _ in self._engine.lines("/events", {"filters": wanted}, AGAIN):
                    self.read()
            except (EngineDown, Refused) as error:
                silent = "timed out" in str(error)  # no event for a minute: nothing is wrong
                self._say("" if silent else str(error))
                stop.wait(0.0 if silent else PAUSE)

    def _say(self, fault: str) -> None:
        """Once when it begins, and once when it is over."""
        if fault and not self._said:
            log.warning("Docker does not answer, the last list is kept: %s", fault)
        elif self._said and not fault:
            log.warning("Docker answers again")
        self._said = fault


class OneShot:
    """Statistics by the API, where no control groups are: at once, for Engine 20.10 takes 1 s each."""

    def __init__(self, engine: HttpEngine) -> None:
        self._engine = engine
        self._known: dict[str, tuple[float, Usage]] = {}
        self._asking: set[str] = set()
        self._places = threading.BoundedSemaphore(16)

    def latest(self, container: str) -> tuple[float, Usage] | None:
        """Return the last answer with its time; asks for the next one meanwhile."""
        if container not in self._asking:
            self._asking.add(container)
            threading.Thread(target=self._ask, args=(container,), daemon=True).start()
        return self._known.get(container)

    def forget(self, known: set[str]) -> None:
        for container in self._known.keys() - known:
            del self._known[container]

    def _ask(self, container: str) -> None:
        try:
            with self._places:
                path = f"/containers/{container}/stats"
                said = self._engine.get(path, {"stream": "false", "one-shot": "true"})
            self._known[container] = (read_at(said), from_stats(said))
        except (EngineDown, Refused, KeyError, TypeError, ValueError):
            self._known.pop(container, None)
        finally:
            self._asking.discard(container)


def read_at(said: Any) -> float:
    """Return when Docker read an answer's counters, Unix time: it may be a while before it is here.

    Raises KeyError, TypeError or ValueError, also for a container that does not run, whose time is year 1.
    """
    moment = datetime.fromisoformat(said["read"])
    if moment.tzinfo is None or moment.year < 1970:
        raise ValueError(said["read"])
    return moment.timestamp()


def from_stats(said: Any) -> Usage:
    """Of one answer of /containers/…/stats. Raises KeyError, TypeError or ValueError for anything else."""
    cpu, memory = said["cpu_stats"], said["memory_stats"]
    stats = memory.get("stats", {})
    droppable = stats.get("total_inactive_file", stats.get("inactive_file", 0))
    limit = int(memory.get("limit", 0))
    return Usage(
        cpu_seconds=int(cpu["cpu_usage"]["total_usage"]) / 1e9,
        throttled_seconds=int(cpu.get("throttling_data", {}).get("throttled_time", 0)) / 1e9,
        cpu_limit=None,
        memory=max(0, int(memory["usage"]) - int(droppable)),
        memory_limit=limit or None,
    )
