"""What of a stack needs a person's look, in sentences; the picture shows the rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from swarm.snapshot import Service, Snapshot, Task

Note = tuple[str, str]
"""condition and sentence"""
MOST = 12


def notes(seen: Snapshot) -> list[Note]:
    """Return the worst first; what belongs to one service is one sentence."""
    ended: dict[str, Task] = {}
    for task in seen.trouble:  # the newest first
        ended.setdefault(task.service, task)
    found = [*_nodes(seen), *_services(seen, ended)]
    found += [("bad", f"not as deployed: {text}") for text in seen.drift]
    found += [("coming", f"{_name(task)} has no node: {task.reason or task.state}") for task in seen.unplaced]
    order = {"bad": 0, "coming": 1, "stopped": 2}
    return [*sorted(found, key=lambda note: order[note[0]])[:MOST], *seen.stand_ins, *_lists(seen)]


def _nodes(seen: Snapshot) -> Iterator[Note]:
    for node in seen.nodes:
        if node.state != "ready":
            yield "bad", f"{node.name} is {node.state}"
        elif node.availability != "active":
            yield "stopped", f"{node.name} is set to {node.availability}: it gets no tasks"


def _services(seen: Snapshot, ended: dict[str, Task]) -> Iterator[Note]:
    for service in seen.services:
        last = ended.get(service.name)
        if service.condition in {"bad", "coming"}:
            yield service.condition, f"{_progress(service)}{_last(last)}"
        elif last:
            yield "coming", f"{service.name} runs again{_last(last)}"


def _progress(service: Service) -> str:
    words = service.update.replace("_", " ")
    told = f"{service.name}: {service.running} of {service.desired} run"
    told += f", {words}" if words else ""
    return told + (f": {service.message}" if service.message not in {"", words} else "")


def _last(task: Task | None) -> str:
    return f"; a task {task.state} {ago(task.seconds)} ago: {task.reason}" if task else ""


def _lists(seen: Snapshot) -> Iterator[Note]:
    undone = [service.name for service in seen.services if service.update == "rollback_completed"]
    stopped = [service.name for service in seen.services if service.condition == "stopped"]
    if undone:
        yield "coming", f"rolled back at their last change: {', '.join(undone)}"
    if stopped:
        yield "stopped", f"stopped: {', '.join(stopped)}"


def _name(task: Task) -> str:
    return f"{task.service}.{task.slot}" if task.slot else task.service


def ago(seconds: float) -> str:
    """`3 s`, `12 min`."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
