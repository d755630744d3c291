"""The second database of the orders takes over: by plan, and after the first one has died."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.swarm.running import Running
from tests.swarm.test_3_steady import settled
from tests.swarm.visitor import Visitor

pytestmark = pytest.mark.swarm


@pytest.fixture(scope="module")
def records(out: Path) -> Path:
    file = out / "promotion.jsonl"
    file.write_text("")
    return file


@pytest.fixture(scope="module")
def visitor(stack, records) -> Visitor:
    """Has ordered while the standby followed, on the same machine for once."""
    assert "No node has the label" in stack.swarm("standby", SERVICE="checkout", check=False)
    node = stack.docker().nodes.get(stack.cluster.node_id)
    labels = {**node.attrs["Spec"]["Labels"], "hivemart.checkout-standby": "true"}
    node.update({**node.attrs["Spec"], "Labels": labels})
    stack.swarm("standby", SERVICE="checkout")
    return Visitor(stack, records)


def database_of(stack, service: str) -> str:
    return str(stack.run_in(service, "printenv", "COUCHDB_URL").decode().strip().rpartition("@")[2])


def test_a_planned_promotion_under_load_loses_nothing(stack, visitor, records, figures):
    load = Running(stack, "promotion", seconds=300, rate=10, members=0)
    time.sleep(5)
    began = time.monotonic()

    try:
        said = stack.swarm("promote", SERVICE="checkout")
        figures.put("planned promotion, s", round(time.monotonic() - began, 1))
        stack.wait_for("ok")
        time.sleep(3)
    finally:
        result = load.stop()
    figures.put("planned promotion under load", {name: result[name] for name in ("requests", "failed")})
    assert "Nothing was lost: 0 documents" in said
    assert database_of(stack, "checkout") == "checkout-standby:5984"
    assert stack.tasks("checkout-couch") == []
    elsewhere = [one for one in result["failures"] if "/checkout/" not in one["request"]]
    assert elsewhere == [], "only orders may have to wait"
    assert {one["status"] for one in result["failures"]} <= {502, 503}
    assert visitor.sees_old_orders() == ""
    assert visitor.orders() == ""
    assert settled(stack, [records, load.orders]) == []


def test_the_former_primary_follows_and_takes_over_when_the_present_one_dies(
    stack, visitor, records, figures
):
    stack.swarm("standby", SERVICE="checkout", ANEW="yes")
    assert visitor.orders() == ""
    time.sleep(5)  # a follower is a second or so behind

    stack.switch_off("checkout-standby")
    assert visitor.orders() != "", "an order without a database"

    began = time.monotonic()
    said = stack.swarm("promote", SERVICE="checkout")

    figures.put("promotion after a death, s", round(time.monotonic() - began, 1))
    stack.wait_for("ok")
    assert "lost" in said
    assert database_of(stack, "checkout") == "checkout-couch:5984"
    assert visitor.sees_old_orders() == ""
    assert visitor.orders() == ""
    assert settled(stack, [records]) == []
