"""Three nodes in one machine: tasks are spread, a drained node is not missed, and a dead one hardly."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator

import pytest
from docker.errors import DockerException

from swarm.shop import SERVICES, WEBS, WITH_STANDBY
from tests.swarm import picture
from tests.swarm.running import Running, failures
from tests.swarm.test_3_steady import settled
from tests.swarm.threes import (
    DATA,
    NONE,
    REPLICAS,
    all_back_on,
    asker,
    leader,
    populate,
    promote,
    tasks_on,
    where,
)

pytestmark = pytest.mark.swarm

AGAIN_WITHIN = 30.0  # seconds after a worker's death; a new leader first waits for all nodes to call again
READS_LOST = 0.002  # or one: of less than 500 one is more already, and says nothing of the share
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


def killed(spread, nodes, figures, name: str) -> dict:
    """Kill the third node under load; return the result, and how long it took until all was back."""
    load = Running(spread, name.replace(" ", "-"), seconds=600, rate=RATE)
    time.sleep(15)
    held = tasks_on(spread, nodes.nodes[NONE].name)
    with load.during(f"kill {name}"):
        began, moment = time.monotonic(), time.time()
        nodes.kill(nodes.nodes[NONE])
        spread.until(lambda: all_back_on(spread, {"node1", "node2"}), 90, "everything on two nodes")
        took = round(time.monotonic() - began, 1)
        time.sleep(35)  # who waits for an answer of the dead node has given up by then
    result = load.stop()
    picture.draw(load.out)
    told = {each: result[each] for each in ("requests", "failed", "reads", "reads_failed", "orders")}
    figures.put(f"killed {name}", {"web replicas on it": held, "all replicas back after, s": took, **told})
    nodes.revive(nodes.nodes[NONE])
    assert settled(spread, [load.orders], 90) == []
    return {**result, "killed": moment, "took": took, "wrong": failures(load.seen())}


AUTOSCALED = "storefront"  # one replica too few of it, and the loop that acts puts it back
TAKEOVER = 15.0  # seconds
DECISIONS = "import sys; sys.stdout.write(open('/data/decisions.jsonl').read()[-2000000:])"


@pytest.fixture
def watched(spread) -> Iterator[None]:
    """Let the autoscaler decide and write nothing, lest it has a hand in what is measured."""
    spread.swarm("deploy")
    spread.wait_for("ok")
    with spread.labelled(WEBS, paused="true"):
        yield
    spread.without_autoscaler()


def test_a_killed_manager_that_leads_leaves_the_shop_going(spread, nodes, watched, figures):
    populate(spread, nodes.nodes[NONE].name)
    assert leader(nodes) == nodes.nodes[NONE].name

    result = killed(spread, nodes, figures, "manager that leads")

    assert result["reads_failed"] <= max(1, READS_LOST * result["reads"]), result["wrong"]
    spread.wait_for("ok")
    taken_over = round(acts_from(spread, result["killed"]) - result["killed"], 1)
    figures.put("another autoscaler acts after the leader's death, s", taken_over)
    assert taken_over <= TAKEOVER


def acts_from(stack, moment: float) -> float:
    """When a loop that is there now decided for the first time after this as the one that acts."""
    found = []
    for container in stack.containers("autoscale"):
        code, said = container.exec_run(["python", "-c", DECISIONS])
        lines = said.decode().splitlines() if code == 0 else []
        records = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]
        found += [one["at"] for one in records if one["mode"] == "act" and one["at"] > moment]
    return min(found)


class Repair:
    """How long it takes until an autoscaler acts, counted from what happened to the one before."""

    def __init__(self, stack) -> None:
        self.stack, self.took = stack, {}
        self.began = time.monotonic()

    def after(self, what: str) -> None:
        """One replica is taken away as soon as the Swarm lets anybody; any number but these two is wrong."""
        fewer, seen = REPLICAS - 1, []
        self.stack.until(lambda: self.stack.scale(AUTOSCALED, fewer) or True, 60, "a Swarm that takes orders")
        while REPLICAS not in seen and time.monotonic() < self.began + 60:
            with contextlib.suppress(OSError, DockerException):  # there may be no leader to ask
                found = self.stack.cluster.service(AUTOSCALED)
                seen.append(found["Spec"]["Mode"]["Replicated"]["Replicas"])
            time.sleep(0.1)
        self.took[what] = round(time.monotonic() - self.began, 1)
        assert set(seen) <= {fewer, REPLICAS}, what


@pytest.fixture
def autoscaled(spread) -> Iterator[None]:
    """Return the autoscaler is there, and has one service to look after."""
    spread.swarm("deploy")
    spread.wait_for("ok")
    others = [name for name in WEBS if name != AUTOSCALED]
    with spread.labelled(others, enabled="false"), spread.labelled([AUTOSCALED], min=str(REPLICAS)):
        time.sleep(8)
        yield
    spread.without_autoscaler()


def test_another_autoscaler_takes_over_when_one_dies_or_the_leader_moves(spread, nodes, autoscaled, figures):
    repair = Repair(spread)
    repair.after("nothing happened")

    name = leader(nodes)
    leads = next(node for node in nodes.nodes if node.name == name)
    (acting,) = leads.run(
        "ps", "-q", "-f", f"label=com.docker.swarm.service.name={spread.full('autoscale')}"
    ).split()
    repair.began = time.monotonic()
    leads.run("kill", "-s", "KILL", acting)
    repair.after("autoscaler killed")

    stays = asker(nodes, but=name)
    with spread.asked_at(stays.docker_host):
        repair.began = time.monotonic()
        stays.run("node", "demote", name)
        repair.after("leader moved")
        promote(nodes, name)

    figures.put("an autoscaler acts again after, s", repair.took)
    assert max(repair.took.values()) <= TAKEOVER


def test_a_killed_worker_is_replaced_and_no_acknowledged_write_is_lost(spread, nodes, figures):
    first = nodes.nodes[DATA]

    def demoted() -> bool:
        first.run("node", "demote", nodes.nodes[NONE].name, check=False)
        return bool(first.run("node", "ls", "-f", "role=worker", "-q", check=False))

    spread.until(demoted, 60, "a worker")
    populate(spread, nodes.nodes[NONE].name)

    result = killed(spread, nodes, figures, "worker")

    assert result["took"] <= AGAIN_WITHIN
    assert result["reads_failed"] <= max(1, READS_LOST * result["reads"]), result["wrong"]
    spread.wait_for("ok")
