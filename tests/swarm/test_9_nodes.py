"""Three nodes in one machine: tasks are spread, a drained node is not missed, and a dead one hardly."""

from __future__ import annotations

import time

import pytest

from swarm.shop import SERVICES, WEBS, WITH_STANDBY
from tests.swarm import picture
from tests.swarm.running import Running, failures
from tests.swarm.test_3_steady import settled
from tests.swarm.threes import (
    DATA,
    NONE,
    REPLICAS,
    all_back_on,
    demote_and_promote,
    let_lead,
    populate,
    where,
)

pytestmark = pytest.mark.swarm

AGAIN_WITHIN = 30.0  # seconds after a worker's death; a new leader first waits for all nodes to call again
READS_LOST = 0.002
RATE = 8.0  # requests a second: three engines, three Swarm nodes and the load share one machine


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


AUTOSCALED = "storefront"  # one replica too few of it, and the loop that acts puts it back
TAKEOVER = 15.0  # seconds


def test_another_autoscaler_takes_over_when_one_dies_or_the_leader_moves(spread, nodes, figures):
    others = [name for name in WEBS if name != AUTOSCALED]
    spread.swarm("deploy")
    spread.wait_for("ok")
    took: dict[str, float] = {}

    def repaired(what: str) -> None:
        """How long one replica too few is left alone; wrong is any other number than those two."""
        seen, began = [REPLICAS - 1], time.monotonic()
        spread.until(lambda: spread.scale(AUTOSCALED, REPLICAS - 1) or True, 60, "a Swarm that takes orders")
        while seen[-1] != REPLICAS and time.monotonic() < began + 60:
            seen.append(replicas(spread, AUTOSCALED))
            time.sleep(0.1)
        took[what] = round(time.monotonic() - began, 1)
        assert set(seen) == {REPLICAS - 1, REPLICAS}, what
        spread.wait_running(AUTOSCALED, REPLICAS)

    with spread.labelled(others, enabled="false"), spread.labelled([AUTOSCALED], min=str(REPLICAS)):
        time.sleep(8)
        repaired("all is well")
        let_lead(nodes, nodes.nodes[NONE].name)
        time.sleep(8)

        (acting,) = (
            nodes.nodes[NONE]
            .run("ps", "-q", "-f", f"label=com.docker.swarm.service.name={spread.full('autoscale')}")
            .split()
        )
        nodes.nodes[NONE].run("kill", "-s", "KILL", acting)
        repaired("autoscaler killed")

        demote_and_promote(nodes, nodes.nodes[NONE].name)
        repaired("leader moved")

        let_lead(nodes, nodes.nodes[NONE].name)
        time.sleep(8)
        nodes.kill(nodes.nodes[NONE])
        repaired("leader died")

    nodes.revive(nodes.nodes[NONE])
    spread.without_autoscaler()
    figures.put("an autoscaler acts again after, s", took)
    assert max(took.values()) <= TAKEOVER


def replicas(spread, service: str) -> int:
    return int(spread.cluster.service(service)["Spec"]["Mode"]["Replicated"]["Replicas"])


def killed(spread, nodes, figures, name: str) -> dict:
    """The third node dies under load; the result of the load, with how long it took until all was back."""
    load = Running(spread, name.replace(" ", "-"), seconds=600, rate=RATE)
    time.sleep(15)
    with load.during(f"kill {name}"):
        began = time.monotonic()
        nodes.kill(nodes.nodes[NONE])
        spread.until(lambda: all_back_on(spread, {"node1", "node2"}), 90, "everything on two nodes")
        took = round(time.monotonic() - began, 1)
        time.sleep(35)  # who waits for an answer of the dead node has given up by then
    result = load.stop()
    picture.draw(load.out)
    told = {each: result[each] for each in ("requests", "failed", "reads", "reads_failed", "orders")}
    figures.put(f"killed {name}", {"all replicas back after, s": took, **told})
    nodes.revive(nodes.nodes[NONE])
    assert settled(spread, [load.orders], 90) == []
    return {**result, "took": took, "wrong": failures(load.seen())}


def test_a_killed_manager_that_leads_leaves_the_shop_going(spread, nodes, figures):
    populate(spread)
    let_lead(nodes, nodes.nodes[NONE].name)

    result = killed(spread, nodes, figures, "manager that leads")

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
