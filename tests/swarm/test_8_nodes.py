"""Three nodes in one machine: tasks are spread, a drained node is not missed, and a dead one hardly."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from swarm.machine.three_nodes import ThreeNodes
from swarm.shop import SERVICES, WEBS, WITH_STANDBY
from tests.swarm import picture, stock
from tests.swarm.conftest import NAME, came_up
from tests.swarm.running import Running, failures
from tests.swarm.stack import Stack
from tests.swarm.test_3_steady import settled

pytestmark = pytest.mark.swarm

REPLICAS = 2
AGAIN_WITHIN = 30.0  # seconds after a node's death
READS_LOST = 0.002
RATE = 8.0  # requests a second: three engines, three Swarm nodes and the load share one machine
DATA, STANDBYS, NONE = 0, 1, 2  # what the nodes hold: a database stays where its volume is


@pytest.fixture(scope="module")
def nodes(out, given) -> Iterator[ThreeNodes]:
    """The third makes the Swarm and leads it; the one-node stack goes first."""
    one = Stack(out, given)
    built = one.swarm("images", seconds=1200)
    one.swarm("undeploy", DATA="delete")
    made = ThreeNodes()
    try:
        images = sorted(set(re.findall(r"\S*hivemart-(?!build)[\w-]+:[0-9a-f]{12}", built)))
        made.up([*images, os.environ.get("BASE_IMAGE") or "debian:bookworm-slim"])
        # Where nothing is built the packages for building are not needed, only their name is looked for.
        python = next(image for image in images if "hivemart-python:" in image)
        made.nodes[DATA].run("tag", python, re.findall(r"\S*hivemart-build:[0-9a-f]{12}", built)[0])
        made.join(managers=(3, 1, 2))
        yield made
    finally:
        if not os.environ.get("SWARM_KEEP"):
            made.down()


@pytest.fixture(scope="module")
def spread(nodes, out, given, figures) -> Stack:
    """The shop on three nodes, two replicas of what shoppers wait for."""
    first = nodes.nodes[DATA]
    label(nodes, DATA, [*(f"{name}-couch" for name in SERVICES), "azurite", "edge"])
    label(nodes, STANDBYS, [*(f"{name}-standby" for name in WITH_STANDBY), "edge"])
    ports = {"HTTP_PORT": "80", "HTTPS_PORT": "443", "PUBLIC_URL": f"https://localhost:{first.https}"}
    stack = Stack(
        out / "nodes", {**given, **ports, "STACK": NAME}, [node.docker_host for node in nodes.nodes]
    )
    came_up(stack, figures, "three nodes: ")
    for service in WEBS:
        stack.scale(service, REPLICAS)
    for service in WEBS:
        stack.wait_running(service, REPLICAS, 120)
    stock.fill(stack)
    return stack


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


def test_tasks_are_spread_over_the_nodes(spread):
    found = where(spread)

    assert all(len(found[service]) == REPLICAS for service in WEBS), found
    assert all(found[f"{name}-couch"] == {"node1": 1} for name in SERVICES)
    assert all(found[f"{name}-standby"] == {"node2": 1} for name in WITH_STANDBY)
    assert found["gateway"] == {"node1": 1, "node2": 1}
    assert len({node for each in found.values() for node in each}) == 3


def test_a_drained_node_loses_no_request(spread, nodes, figures):
    load = Running(spread, "drain", seconds=600, rate=RATE)
    time.sleep(5)
    third = nodes.nodes[NONE]

    with load.during("drain node3"):
        nodes.nodes[DATA].run("node", "update", "--availability", "drain", third.name)
        spread.until(lambda: all_back_on(spread, {"node1", "node2"}), 120, "everything on two nodes")
        time.sleep(15)

    result = load.stop()
    nodes.nodes[DATA].run("node", "update", "--availability", "active", third.name)
    figures.put("drain of a node", {name: result[name] for name in ("requests", "failed", "ms")})
    assert failures(load.seen()) == []


def killed(spread, nodes, figures, name: str) -> dict:
    """The third node dies under load; the result of the load, with how long it took until all was back."""
    load = Running(spread, name.replace(" ", "-"), seconds=600, rate=RATE)
    time.sleep(15)
    with load.during(f"kill {name}"):
        began = time.monotonic()
        nodes.kill(nodes.nodes[NONE])
        spread.until(lambda: all_back_on(spread, {"node1", "node2"}), 90, "everything on two nodes")
        took = round(time.monotonic() - began, 1)
        time.sleep(45)  # who waits for an answer of the dead node has given up by then
    result = load.stop()
    picture.draw(load.out)
    told = {each: result[each] for each in ("requests", "failed", "reads", "reads_failed", "orders")}
    figures.put(f"killed {name}", {"all replicas back after, s": took, **told})
    nodes.revive(nodes.nodes[NONE])
    assert settled(spread, [load.orders], 90) == []
    return {**result, "took": took, "wrong": failures(load.seen())}


def test_a_killed_manager_that_leads_leaves_the_shop_going(spread, nodes, figures):
    populate(spread)
    leader = nodes.nodes[DATA].run(
        "node", "ls", "-f", "role=manager", "--format", "{{.Hostname}} {{.ManagerStatus}}"
    )
    assert "node3 Leader" in leader

    result = killed(spread, nodes, figures, "manager that leads")

    assert result["took"] <= AGAIN_WITHIN
    assert result["reads_failed"] <= READS_LOST * result["reads"], result["wrong"]
    spread.wait_for("ok")


def test_a_killed_worker_is_replaced_and_no_acknowledged_write_is_lost(spread, nodes, figures):
    nodes.nodes[DATA].run("node", "demote", nodes.nodes[NONE].name)
    spread.until(lambda: nodes.nodes[DATA].run("node", "ls", "-f", "role=worker", "-q"), 30, "a worker")
    populate(spread)

    result = killed(spread, nodes, figures, "worker")

    assert result["took"] <= AGAIN_WITHIN
    assert result["reads_failed"] <= READS_LOST * result["reads"], result["wrong"]
    spread.wait_for("ok")
