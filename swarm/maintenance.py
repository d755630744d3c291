"""Maintenance: services that must not write are scaled to none, and later back to what they had.

Their replica counts are remembered in the cluster, so that whoever was interrupted can go on or give up.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from swarm import state
from swarm.cluster import Cluster, Failed
from swarm.rollout import RolloutWatcher, Say, wait_for_dns
from swarm.shop import AUTOSCALED, WEBS, processes_of

STOP_SECONDS = 90.0  # twice what a task is given to end what it is at
_ENDED_STATES = {"shutdown", "complete", "failed", "rejected", "remove", "orphaned"}


def running_processes(cluster: Cluster, services: Iterable[str]) -> list[str]:
    """Return the stack's services that write to the databases of these."""
    deployed = cluster.services()
    return [name for service in services for name in processes_of(service) if name in deployed]


def stopped_services(cluster: Cluster) -> dict[str, int]:
    """Name -> the replicas that it had."""
    return dict(state.read(cluster).get("held", {}))


def enter(cluster: Cluster, names: Sequence[str], say: Say, *, fenced: bool = False) -> None:
    """Scale these services to none, and wait until their tasks are gone.

    `fenced`: do not wait for tasks on machines that cannot be reached, as a person has made sure that
    these are off. Raises Failed when one does not end.
    """
    say(f"Stopping {', '.join(names)}")
    live, before = cluster.services(), stopped_services(cluster)
    counts = {name: live[name]["Spec"]["Mode"]["Replicated"]["Replicas"] for name in names}
    labels_before = {name: live[name]["Spec"]["Labels"].get(AUTOSCALED, "true") for name in names}
    remembered = state.read(cluster)
    # One that is held already has nothing to remember: its number is in `before`.
    new = {"held": counts | before, "held_scaled": labels_before | remembered.get("held_scaled", {})}
    state.write(cluster, remembered | new)
    _scale(cluster, dict.fromkeys(names, 0), dict.fromkeys(names, "false"), say)
    wait_until_stopped(cluster, names, fenced=fenced)


def wait_until_stopped(
    cluster: Cluster,
    names: Sequence[str],
    *,
    fenced: bool = False,
    seconds: float = STOP_SECONDS,
    pause: float = 0.5,
) -> None:
    """Until no task of these services is at work any more. Failed after `seconds`."""
    end = time.monotonic() + seconds
    while unfinished := _unfinished_tasks(cluster, names, fenced=fenced):
        if time.monotonic() > end:
            raise Failed(_timeout_sentence(cluster, unfinished, seconds))
        time.sleep(pause)


def _unfinished_tasks(
    cluster: Cluster, names: Sequence[str], *, fenced: bool
) -> dict[str, list[dict[str, Any]]]:
    """Swarm counts no task that is to end, yet it may be writing still."""
    found = {name: active_tasks(cluster, name) for name in names}
    return {
        name: tasks
        for name, tasks in found.items()
        if tasks
        and not (fenced and len(unreachable_nodes(cluster, tasks)) == len({t["NodeID"] for t in tasks}))
    }


def _timeout_sentence(
    cluster: Cluster, unfinished: Mapping[str, Sequence[Mapping[str, Any]]], seconds: float
) -> str:
    unreachable = unreachable_nodes(cluster, [task for tasks in unfinished.values() for task in tasks])
    where = (
        f" Of {', '.join(unreachable)} nobody knows: turn it off, then `docker node rm --force` it."
        if unreachable
        else ""
    )
    return (
        f"{', '.join(unfinished)} did not end within {seconds:.0f} s.{where} The same command again goes on."
    )


def unreachable_nodes(cluster: Cluster, tasks: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names of the nodes of these tasks that cannot be reached."""
    where = {task.get("NodeID", "") for task in tasks}
    unreachable = [
        node for node in cluster.nodes() if node["ID"] in where and node["Status"]["State"] != "ready"
    ]
    return sorted(node["Description"]["Hostname"] for node in unreachable)


def active_tasks(cluster: Cluster, name: str) -> list[dict[str, Any]]:
    """Tasks of a service that may be at work."""
    tasks = cluster.tasks().get(cluster.service(name)["ID"], [])
    return [task for task in tasks if task["Status"]["State"] not in _ENDED_STATES]


def leave(cluster: Cluster, say: Say, names: Iterable[str] | None = None) -> None:
    """Restore the replicas of all that is held, or of these, and let the autoscaler in where it was.

    They are healthy afterwards. Raises Failed.
    """
    before, labels_before = stopped_services(cluster), state.read(cluster).get("held_scaled", {})
    wanted = [name for name in (before if names is None else names) if name in before]
    if not wanted:
        return
    say(f"Starting {', '.join(wanted)}")
    _scale(cluster, {name: before[name] for name in wanted}, labels_before, say)
    if set(wanted) & set(WEBS):
        wait_for_dns()
    left = {name: count for name, count in before.items() if name not in wanted}
    labels = {name: label for name, label in labels_before.items() if name in left}
    state.write(cluster, {**state.read(cluster), "held": left, "held_scaled": labels})


def _scale(cluster: Cluster, counts: dict[str, int], labels_before: Mapping[str, str], say: Say) -> None:
    """Set the replicas, and whether the autoscaler may scale the services; wait until they are healthy."""
    watch = RolloutWatcher(cluster, counts, say)
    for name, count in counts.items():
        label = labels_before.get(name, "true")
        cluster.update_service(
            name,
            lambda service, count=count, label=label: with_replicas(service, count, label),  # type: ignore[misc]
        )
    watch.until_healthy(cluster.options.timeout)


def with_replicas(service: Mapping[str, Any], count: int, labels_before: str) -> dict[str, Any]:
    """Return the service's specification with so many replicas.

    `scaled`: what its label for the autoscaler says, if it has one.
    """
    spec = dict(service["Spec"])
    labels = {**spec["Labels"], AUTOSCALED: labels_before} if AUTOSCALED in spec["Labels"] else spec["Labels"]
    return {**spec, "Labels": labels, "Mode": {"Replicated": {"Replicas": count}}}
