"""Watching services until they are what was asked for: progress for a person, and why if not."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from swarm import cli
from swarm.cluster import Cluster, Failed
from swarm.jobs import reason

POLL_SECONDS = 0.5  # a failed task is soon forgotten by Swarm
MAX_FAILED_TASKS = 6  # failed tasks of a new service: it will not come up
MAX_LOG_LINES = 15  # lines of a task that ended
MAX_SHOWN = 6  # services named on a line
UPDATING_STATES = {"updating", "rollback_started"}
ROLLED_BACK_STATES = {"rollback_started", "rollback_completed", "rollback_paused", "paused"}
FAILED_STATES = {"failed", "rejected"}
Say = Callable[[str], None]
Raw = Mapping[str, Any]


DNS_SECONDS = 5.0  # until nginx has resolved the names of new replicas


def wait_for_dns() -> None:
    """Wait until every gateway has resolved a service that had no replica before."""
    time.sleep(DNS_SECONDS)


@dataclass(frozen=True)
class ServiceStatus:
    """One service at one moment."""

    name: str
    desired: int
    running: int
    """tasks that run, are healthy, and have the specification in force"""
    outdated: int
    """tasks of another specification that are to run still"""
    update: str
    waiting: str = ""
    """what Docker says of a task that it cannot place"""

    @property
    def rolled_back(self) -> bool:
        return self.update in ROLLED_BACK_STATES

    @property
    def settled(self) -> bool:
        """Nothing is left to happen."""
        return self.running == self.desired and not self.outdated and self.update not in UPDATING_STATES

    def __str__(self) -> str:
        parts = [f"{self.name} {self.running}/{self.desired}"]
        parts += (
            [self.update.replace("_", " ")] if self.update in UPDATING_STATES | ROLLED_BACK_STATES else []
        )
        parts += [self.waiting] if self.waiting else []
        return ", ".join(parts)


def service_status(name: str, service: Raw, tasks: Iterable[Raw]) -> ServiceStatus:
    """Return the status of a service, read from its specification and its tasks."""
    template = service["Spec"]["TaskTemplate"]
    wanted = [task for task in tasks if task["DesiredState"] in {"running", "ready", "accepted"}]
    current = [task for task in wanted if _without_runtime(task["Spec"]) == _without_runtime(template)]
    mode = service["Spec"]["Mode"]
    desired = mode["Replicated"]["Replicas"] if "Replicated" in mode else max(1, len(current))
    pending = [task["Status"].get("Err", "") for task in current if task["Status"]["State"] == "pending"]
    return ServiceStatus(
        name=name,
        desired=desired,
        running=sum(task["Status"]["State"] == "running" for task in current),
        outdated=len(wanted) - len(current),
        update=(service.get("UpdateStatus") or {}).get("State", ""),
        waiting=next(filter(None, pending), ""),
    )


def _without_runtime(template: Raw) -> dict[str, Any]:
    """Return the template without its runtime, which Docker gives for services and not for tasks."""
    return {key: value for key, value in template.items() if key != "Runtime"}


@dataclass
class ServiceFailure:
    """Why a service did not come up: the first of its tasks that ended, and how often that happened."""

    service: str
    first_error: str = ""
    log_lines: list[str] = field(default_factory=list)
    task_ids: set[str] = field(default_factory=set)

    def record(self, task: Raw) -> None:
        if task["ID"] in self.task_ids:
            return
        self.task_ids.add(task["ID"])
        if not self.log_lines:
            self.first_error = reason(task["Status"])
            self.log_lines = cli.logs(task["ID"], tail=MAX_LOG_LINES, raw=True)[-MAX_LOG_LINES:]

    def __str__(self) -> str:
        return "\n    ".join(
            [f"{self.service}: {self.first_error or 'it did not get healthy in time'}", *self.log_lines]
        )


class RolloutWatcher:
    """Watches what becomes of these services from its creation on."""

    def __init__(self, cluster: Cluster, names: Collection[str], say: Say) -> None:
        self._cluster, self._names, self._say = cluster, set(names), say
        self._began = time.monotonic()
        self._line = ""
        self._known_tasks = {task["ID"] for tasks in cluster.tasks().values() for task in tasks}
        self.failures: dict[str, ServiceFailure] = {}

    def until_healthy(self, timeout: float) -> list[ServiceStatus]:
        """Wait until everything has settled; return the services that Swarm rolled back.

        Raises Failed when time is up, or when a new service ends again and again.
        """
        while True:
            statuses = self.poll()
            self._report(statuses)
            if all(status.settled for status in statuses):
                return [status for status in statuses if status.rolled_back]
            given_up = [
                name for name, failure in self.failures.items() if self._has_given_up(name, failure, statuses)
            ]
            if given_up:
                raise Failed(self._explain_with("These services do not come up:", given_up))
            if time.monotonic() - self._began > timeout:
                unhealthy = [status.name for status in statuses if not status.settled]
                raise Failed(
                    self._explain_with(f"After {timeout:.0f} s these services are not healthy:", unhealthy)
                )
            time.sleep(POLL_SECONDS)

    def poll(self) -> list[ServiceStatus]:
        """All services now."""
        services, tasks = self._cluster.services(), self._cluster.tasks()
        statuses = []
        for name in sorted(self._names & services.keys()):
            own = tasks.get(services[name]["ID"], [])
            self._record_failures(name, own)
            statuses.append(service_status(name, services[name], own))
            if statuses[-1].rolled_back and name not in self.failures:
                self.failures[name] = ServiceFailure(
                    name, first_error=str(services[name]["UpdateStatus"].get("Message", ""))
                )
        return statuses

    def explain(self, names: Iterable[str]) -> str:
        """Reasons, with the last lines of the first task that ended."""
        return "\n  ".join(str(self.failures.get(name, ServiceFailure(name))) for name in names)

    def _explain_with(self, sentence: str, names: Iterable[str]) -> str:
        return f"{sentence}\n  {self.explain(names)}"

    def _record_failures(self, name: str, tasks: Iterable[Raw]) -> None:
        for task in tasks:
            if task["ID"] not in self._known_tasks and task["Status"]["State"] in FAILED_STATES:
                self.failures.setdefault(name, ServiceFailure(name)).record(task)

    @staticmethod
    def _has_given_up(name: str, failure: ServiceFailure, statuses: Iterable[ServiceStatus]) -> bool:
        """Return True if a new service failed too often: Swarm would retry it for ever."""
        status = next((status for status in statuses if status.name == name), None)
        return (
            status is not None
            and not status.settled
            and not status.update
            and len(failure.task_ids) >= MAX_FAILED_TASKS
        )

    def _report(self, statuses: list[ServiceStatus]) -> None:
        """Print a line when something changed."""
        waiting = [status for status in statuses if not status.settled]
        shown = "; ".join(map(str, waiting[:MAX_SHOWN]))
        more = f"; and {len(waiting) - MAX_SHOWN} more" if len(waiting) > MAX_SHOWN else ""
        line = f"{len(statuses) - len(waiting)} of {len(statuses)} healthy" + (
            f", waiting for {shown}{more}" if shown else ""
        )
        if line != self._line:
            self._line = line
            self._say(f"  {time.monotonic() - self._began:5.1f} s  {line}")
