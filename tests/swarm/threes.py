"""Three nodes in one machine: their labels, what runs where, and who leads."""

from __future__ import annotations

import time
from collections import Counter

from swarm.machine.three_nodes import Node, NodesFailed, ThreeNodes
from swarm.shop import WEBS
from tests.swarm.stack import Stack

REPLICAS = 2
SHARE = 4  # web replicas, of fourteen, without which a node's death would prove nothing
DATA, STANDBYS, NONE = 0, 1, 2  # what the nodes hold: a database stays where its volume is


def label(nodes: ThreeNodes, number: int, names: list[str]) -> None:
    options = [part for name in names for part in ("--label-add", f"hivemart.{name}=true")]
    nodes.nodes[DATA].run("node", "update", *options, nodes.nodes[number].name)


def where(stack: Stack) -> dict[str, Counter]:
    """How many running tasks each service has on each node, by the node's name."""
    names = {node["ID"]: node["Description"]["Hostname"] for node in stack.cluster.nodes()}
    found = {}
    for service in stack.cluster.services():
        found[service] = Counter(names[task["NodeID"]] for task in stack.tasks(service))
    return found


def populate(stack: Stack, node: str) -> None:
    """Give a node that came back its share: Swarm leaves what runs where it is."""
    stack.until(lambda: node in ready(stack), 120, f"{node} to be ready", lambda: ready(stack))
    for _ in range(3):
        for replicas in (1, REPLICAS):
            for service in WEBS:
                stack.scale(service, replicas)
            for service in WEBS:
                stack.wait_running(service, replicas, 120)
            time.sleep(6)  # those that go serve on for a while
        if tasks_on(stack, node) >= SHARE:
            break
    assert tasks_on(stack, node) >= SHARE, where(stack)
    stack.wait_for("ok")


def ready(stack: Stack) -> set[str]:
    """Return the names of the nodes that may be given tasks."""
    able = [one for one in stack.cluster.nodes() if one["Status"]["State"] == "ready"]
    return {one["Description"]["Hostname"] for one in able if one["Spec"]["Availability"] == "active"}


def tasks_on(stack: Stack, node: str) -> int:
    """How many web replicas this node runs."""
    found = where(stack)
    return sum(found[service][node] for service in WEBS)


def all_back_on(stack: Stack, alive: set[str]) -> bool:
    """Whether every service has all its replicas on nodes that live."""
    found = where(stack)
    for name, service in stack.cluster.services().items():
        mode = service["Spec"]["Mode"]
        if "Replicated" in mode:
            running = sum(count for node, count in found[name].items() if node in alive)
            if running < mode["Replicated"]["Replicas"]:
                return False
    return True


def leader(nodes: ThreeNodes) -> str:
    """Return the name of the manager that leads; "" while there is none that anybody knows."""
    for node in nodes.nodes:
        for line in _managers(node):
            if line.endswith(" Leader"):
                return line.split()[0]
    return ""


def _managers(node: Node) -> list[str]:
    """Nodes and what they are as managers; [] where this one does not know."""
    try:
        told = node.run("node", "ls", "--format", "{{.Hostname}} {{.ManagerStatus}}", seconds=10, check=False)
    except NodesFailed:
        return []
    return told.splitlines()


def asker(nodes: ThreeNodes, but: str) -> Node:
    """Return a node that stays, and is not this one."""
    return next(node for node in (nodes.nodes[DATA], nodes.nodes[STANDBYS]) if node.name != but)


def all_manage(nodes: ThreeNodes) -> bool:
    """Whether each of the three is a manager that knows the others and who leads."""
    whole = ["Leader", "Reachable", "Reachable"]
    return all(sorted(line.split()[-1] for line in _managers(node)) == whole for node in nodes.nodes)


def promote(nodes: ThreeNodes, name: str) -> None:
    """Make it a manager again, and wait until all three know."""
    by = asker(nodes, but=name)

    def done() -> bool:
        by.run("node", "promote", name, check=False)
        return all_manage(nodes)

    Stack.until(done, 180, "three managers")
