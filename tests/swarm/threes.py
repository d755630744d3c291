"""Three nodes in one machine: their labels, what runs where, and who leads."""

from __future__ import annotations

import time
from collections import Counter

from swarm.machine.three_nodes import ThreeNodes
from swarm.shop import WEBS
from tests.swarm.stack import Stack

REPLICAS = 2
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


def populate(stack: Stack) -> None:
    """Give a node that came back its share: Swarm leaves what runs where it is."""
    for replicas in (1, REPLICAS):
        for service in WEBS:
            stack.scale(service, replicas)
        for service in WEBS:
            stack.wait_running(service, replicas, 120)
        time.sleep(6)  # those that go serve on for a while
    stack.wait_for("ok")


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
    """The name of the manager that leads; "" while there is none, or it cannot be asked."""
    told = nodes.nodes[DATA].run("node", "ls", "--format", "{{.Hostname}} {{.ManagerStatus}}", check=False)
    return next((line.split()[0] for line in told.splitlines() if line.endswith(" Leader")), "")


def demote_and_promote(nodes: ThreeNodes, name: str) -> str:
    """Another one leads, if this one did; the name of who does. Afterwards all three are managers again."""
    first = nodes.nodes[DATA] if name != nodes.nodes[DATA].name else nodes.nodes[STANDBYS]
    first.run("node", "demote", name)
    Stack.until(lambda: leader(nodes) not in ("", name), 30, "another leader")
    now = leader(nodes)
    first.run("node", "promote", name)
    managers = ("node", "ls", "--format", "{{.ManagerStatus}}")
    Stack.until(lambda: first.run(*managers).split().count("Reachable") == 2, 60, "three managers")
    return now


def let_lead(nodes: ThreeNodes, name: str) -> None:
    """This one leads: whoever does otherwise steps back, until it is the one that is elected."""
    for _ in range(12):
        if (now := leader(nodes)) == name:
            return
        demote_and_promote(nodes, now)
    raise AssertionError(f"{name} was not elected in twelve elections")
