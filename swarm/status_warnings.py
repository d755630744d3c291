"""What of a stack needs a person's look, in sentences; the picture shows the rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from swarm.snapshot import Service, Snapshot, Task

StatusWarning = tuple[str, str]
"""condition and sentence"""
MAX_WARNINGS = 12


def find_warnings(snapshot: Snapshot) -> list[StatusWarning]:
    """Return the worst first; what belongs to one service is one sentence."""
    ended: dict[str, Task] = {}
    for task in snapshot.trouble:  # the newest first
        ended.setdefault(task.service, task)
    found = [*_node_warnings(snapshot), *_service_warnings(snapshot, ended)]
    found += [("bad", f"not as deployed: {text}") for text in snapshot.drift]
    found += [
        ("coming", f"{_name(task)} has no node: {task.reason or task.state}") for task in snapshot.unplaced
    ]
    order = {"bad": 0, "coming": 1, "stopped": 2}
    return [
        *sorted(found, key=lambda warning: order[warning[0]])[:MAX_WARNINGS],
        *snapshot.stand_ins,
        *_summary_warnings(snapshot),
    ]


def _node_warnings(snapshot: Snapshot) -> Iterator[StatusWarning]:
    for node in snapshot.nodes:
        if node.state != "ready":
            yield "bad", f"{node.name} is {node.state}"
        elif node.availability != "active":
            yield "stopped", f"{node.name} is set to {node.availability}: it gets no tasks"


def _service_warnings(snapshot: Snapshot, ended: dict[str, Task]) -> Iterator[StatusWarning]:
    for service in snapshot.services:
        last = ended.get(service.name)
        if service.condition in {"bad", "coming"}:
            yield service.condition, f"{_progress(service)}{_last_failure(last)}"
        elif last:
            yield "coming", f"{service.name} runs again{_last_failure(last)}"


def _progress(service: Service) -> str:
    words = service.update.replace("_", " ")
    text = f"{service.name}: {service.running} of {service.desired} run"
    text += f", {words}" if words else ""
    return text + (f": {service.message}" if service.message not in {"", words} else "")


def _last_failure(task: Task | None) -> str:
    return f"; a task {task.state} {ago(task.seconds)} ago: {task.reason}" if task else ""


def _summary_warnings(snapshot: Snapshot) -> Iterator[StatusWarning]:
    rolled_back = [service.name for service in snapshot.services if service.update == "rollback_completed"]
    stopped = [service.name for service in snapshot.services if service.condition == "stopped"]
    if rolled_back:
        yield "coming", f"rolled back at their last change: {', '.join(rolled_back)}"
    if stopped:
        yield "stopped", f"stopped: {', '.join(stopped)}"


def _name(task: Task) -> str:
    return f"{task.service}.{task.slot}" if task.slot else task.service


def ago(seconds: float) -> str:
    """`3 s`, `12 min`."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
