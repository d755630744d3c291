"""How many replicas of a service all nodes together can hold: resources less the sum of reservations.

As Swarm's scheduler filters nodes: usable, constraints, `max_replicas_per_node`, reservations.
https://docs.docker.com/reference/cli/docker/service/create/#constraint
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from autoscaling.domain.swarm import Cluster, Node, Resources, Service, Task

_CONSTRAINT = re.compile(r"\s*([\w.-]+)\s*(==|!=)\s*(.*?)\s*\Z")
ENDLESS = 1000  # replicas of a service that reserves nothing


def room_for(service: Service, cluster: Cluster) -> int | None:
    """Replicas that can run, those that do included; None when a constraint is not understood."""
    own = [task for task in cluster.tasks_of(service) if task.node]
    total = 0
    for node in cluster.nodes:
        here = sum(task.node == node.id for task in own)
        allowed = _allows(service.placement.constraints, node)
        if allowed is None:
            return None
        more = _more(service, node, cluster.tasks, here) if node.usable and allowed else 0
        total += here + more
    return min(total, ENDLESS)


def _more(service: Service, node: Node, tasks: Sequence[Task], here: int) -> int:
    free = free_on(node, tasks)
    want = service.reserved
    fit = [ENDLESS]
    if want.cpus > 0:
        fit.append(int(free.cpus / want.cpus + 1e-6))
    if want.memory > 0:
        fit.append(free.memory // want.memory)
    if service.placement.max_per_node:
        fit.append(service.placement.max_per_node - here)
    return max(0, min(fit))


def free_on(node: Node, tasks: Sequence[Task]) -> Resources:
    """Return what no task on the node has reserved."""
    there = [task.reserved for task in tasks if task.node == node.id]
    return Resources(
        node.resources.cpus - sum(reserved.cpus for reserved in there),
        node.resources.memory - sum(reserved.memory for reserved in there),
    )


def _allows(constraints: Sequence[str], node: Node) -> bool | None:
    for text in constraints:
        match = _CONSTRAINT.match(text)
        actual = _attribute(match[1], node) if match else None
        if match is None or actual is None:
            return None
        if (actual == match[3].strip("\"'").lower()) != (match[2] == "=="):
            return False
    return True


def _attribute(name: str, node: Node) -> str | None:
    """Return a node's attribute as constraints name it (case does not matter); None: not known here."""
    known = {
        "node.id": node.id,
        "node.hostname": node.name,
        "node.role": node.role,
        "node.platform.os": node.platform[0],
        "node.platform.arch": node.platform[1],
    }
    if name.startswith("node.labels."):
        return node.labels.get(name.removeprefix("node.labels."), "").lower()
    value = known.get(name)
    return None if value is None else value.lower()
