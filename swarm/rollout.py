"""Watching services until they are what was asked for: progress for a person, and why if not."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from swarm import cli
from swarm.cluster import Cluster, Failed
from swarm.jobs import reason

EVERY = 0.5  # seconds between two looks; a failed task is soon forgotten by Swarm
ENOUGH = 6  # failed tasks of a new service: it will not come up
LAST_WORDS = 15  # lines of a task that ended
SHOWN = 6  # services named on a line
GOING = {"updating", "rollback_started"}
UNDONE = {"rollback_started", "rollback_completed", "rollback_paused", "paused"}
BAD = {"failed", "rejected"}
Say = Callable[[str], None]
Raw = Mapping[str, Any]


NAMES_SECONDS = 5.0


def wait_for_names() -> None:
    """Until every gateway has looked up a service that had no replica before: it asks every second or two."""
    time.sleep(NAMES_SECONDS)


@dataclass(frozen=True)
class Look:
    """One service at one moment."""

    name: str
    desired: int
    running: int
    """tasks that run, are healthy, and have the specification in force"""
    others: int
    """tasks of another specification that are to run still"""
    update: str
    waiting: str = ""
    """what Docker says of a task that it cannot place"""

    @property
    def undone(self) -> bool:
        return self.update in UNDONE

    @property
    def settled(self) -> bool:
        """Nothing is left to happen."""
        return self.running == self.desired and not self.others and self.update not in GOING

    def __str__(self) -> str:
        words = [f"{self.name} {self.running}/{self.desired}"]
        words += [self.update.replace("_", " ")] if self.update in GOING | UNDONE else []
        words += [self.waiting] if self.waiting else []
        return ", ".join(words)


def look(name: str, service: Raw, tasks: Iterable[Raw]) -> Look:
    """Return what a service and its tasks amount to."""
    template = service["Spec"]["TaskTemplate"]
    wanted = [task for task in tasks if task["DesiredState"] in {"running", "ready", "accepted"}]
    current = [task for task in wanted if _plain(task["Spec"]) == _plain(template)]
    mode = service["Spec"]["Mode"]
    desired = mode["Replicated"]["Replicas"] if "Replicated" in mode else max(1, len(current))
    pending = [task["Status"].get("Err", "") for task in current if task["Status"]["State"] == "pending"]
    return Look(
        name=name,
        desired=desired,
        running=sum(task["Status"]["State"] == "running" for task in current),
        others=len(wanted) - len(current),
        update=(service.get("UpdateStatus") or {}).get("State", ""),
        waiting=next(filter(None, pending), ""),
    )


def _plain(template: Raw) -> dict[str, Any]:
    """Docker tells the runtime of a service's template and not of a task's."""
    return {key: value for key, value in template.items() if key != "Runtime"}


@dataclass
class Trouble:
    """Why a service did not come up: the first of its tasks that ended, and how often that happened."""

    service: str
    first: str = ""
    words: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def note(self, task: Raw) -> None:
        if task["ID"] in self.seen:
            return
        self.seen.add(task["ID"])
        if not self.words:
            self.first = reason(task["Status"])
            self.words = cli.logs(task["ID"], tail=LAST_WORDS, raw=True)[-LAST_WORDS:]

    def __str__(self) -> str:
        return "\n    ".join(
            [f"{self.service}: {self.first or 'it did not get healthy in time'}", *self.words]
        )


class Watch:
    """From now on: what becomes of these services."""

    def __init__(self, cluster: Cluster, names: Collection[str], say: Say) -> None:
        self._cluster, self._names, self._say = cluster, set(names), say
        self._began = time.monotonic()
        self._line = ""
        self._old = {task["ID"] for tasks in cluster.tasks().values() for task in tasks}
        self.troubles: dict[str, Trouble] = {}

    def until_healthy(self, timeout: float) -> list[Look]:
        """Wait until everything has settled; return the services that Swarm rolled back.

        Raises Failed when time is up, or when a new service ends again and again.
        """
        while True:
            looks = self.look()
            self._tell(looks)
            if all(seen.settled for seen in looks):
                return [seen for seen in looks if seen.undone]
            hopeless = [
                name for name, trouble in self.troubles.items() if self._hopeless(name, trouble, looks)
            ]
            if hopeless:
                raise Failed(self._why("These services do not come up:", hopeless))
            if time.monotonic() - self._began > timeout:
                late = [seen.name for seen in looks if not seen.settled]
                raise Failed(self._why(f"After {timeout:.0f} s these services are not healthy:", late))
            time.sleep(EVERY)

    def look(self) -> list[Look]:
        """All services now."""
        services, tasks = self._cluster.services(), self._cluster.tasks()
        looks = []
        for name in sorted(self._names & services.keys()):
            own = tasks.get(services[name]["ID"], [])
            self._note(name, own)
            looks.append(look(name, services[name], own))
            if looks[-1].undone and name not in self.troubles:
                self.troubles[name] = Trouble(
                    name, first=str(services[name]["UpdateStatus"].get("Message", ""))
                )
        return looks

    def why(self, names: Iterable[str]) -> str:
        """Reasons, with the last lines of the first task that ended."""
        return "\n  ".join(str(self.troubles.get(name, Trouble(name))) for name in names)

    def _why(self, sentence: str, names: Iterable[str]) -> str:
        return f"{sentence}\n  {self.why(names)}"

    def _note(self, name: str, tasks: Iterable[Raw]) -> None:
        for task in tasks:
            if task["ID"] not in self._old and task["Status"]["State"] in BAD:
                self.troubles.setdefault(name, Trouble(name)).note(task)

    @staticmethod
    def _hopeless(name: str, trouble: Trouble, looks: Iterable[Look]) -> bool:
        """Return a new service has nothing to go back to: Swarm would try for ever."""
        seen = next((seen for seen in looks if seen.name == name), None)
        return seen is not None and not seen.settled and not seen.update and len(trouble.seen) >= ENOUGH

    def _tell(self, looks: list[Look]) -> None:
        """Return a line when something changed."""
        waiting = [seen for seen in looks if not seen.settled]
        shown = "; ".join(map(str, waiting[:SHOWN]))
        more = f"; and {len(waiting) - SHOWN} more" if len(waiting) > SHOWN else ""
        line = f"{len(looks) - len(waiting)} of {len(looks)} healthy" + (
            f", waiting for {shown}{more}" if shown else ""
        )
        if line != self._line:
            self._line = line
            self._say(f"  {time.monotonic() - self._began:5.1f} s  {line}")
