"""Twenty requests a second go on while the shop is scaled, updated, and updated badly: nobody notices."""

from __future__ import annotations

import time

import pytest

from swarm.shop import WEBS
from tests.kill.audit import audit
from tests.kill.audit_catalog import findings_of, getter
from tests.swarm import builds, picture
from tests.swarm.measure import first_answer
from tests.swarm.running import failures

pytestmark = pytest.mark.swarm
REQUESTS = 10_000
UPDATE_STATE = "UpdateStatus"


def test_scaling_from_one_to_four_and_back_loses_no_request(stack, load, figures):
    with load.during("catalog: 1 to 2") as one:
        started = first_answer(stack, "catalog", 2)
    with load.during("catalog: 2 to 4") as up:
        stack.swarm("scale", SERVICE="catalog", REPLICAS="4")
    with load.during("catalog: 4 to 1") as down:
        stack.swarm("scale", SERVICE="catalog", REPLICAS="1")
        time.sleep(6)  # those that go serve on for a while

    figures.put("start of a replica of catalog, s", started)
    assert failures([*one, *up, *down]) == []
    assert len(stack.tasks("catalog")) == 1
    assert started["first answer"] <= 5


@pytest.mark.parametrize("service", WEBS)
def test_an_update_of_a_service_loses_no_request(stack, load, service):
    image = builds.build(stack, service, builds.GOOD)

    with load.during(f"update {service}") as seen:
        stack.swarm("update", SERVICE=service, IMAGE=image)

    assert failures(seen) == []
    assert builds.image_of(stack, service) == image


def test_an_update_of_the_inner_gateway_loses_no_request(stack, load):
    with load.during("update inner") as seen:
        stack.docker().services.get(stack.full("inner")).force_update()
        time.sleep(3)
        stack.wait_running("inner", 1)
        time.sleep(8)

    assert failures(seen) == []


@pytest.mark.parametrize("broken", ["crashing", "never healthy"])
def test_a_broken_image_is_rolled_back_by_itself_and_loses_no_request(stack, load, figures, broken):
    good = builds.image_of(stack, "checkout")
    line = builds.CRASHING if broken == "crashing" else builds.NEVER_HEALTHY
    image = builds.build(stack, "checkout", line)
    began = time.monotonic()

    with load.during(f"{broken} checkout") as seen:
        said = stack.swarm("update", SERVICE="checkout", IMAGE=image, check=False)

    figures.put(f"{broken} image rolled back after, s", round(time.monotonic() - began, 1))
    assert failures(seen) == []
    assert builds.image_of(stack, "checkout") == good
    assert "rolled back" in said.lower()
    assert ("this image is broken" in said) or broken == "never healthy"
    state = stack.cluster.service("checkout")[UPDATE_STATE]["State"]
    assert state == "rollback_completed"


def test_a_rollback_goes_back_to_the_image_of_before(stack, load):
    before = builds.image_of(stack, "cart")
    image = builds.build(stack, "cart", builds.GOOD)
    stack.swarm("update", SERVICE="cart", IMAGE=image)

    with load.during("rollback cart") as seen:
        stack.swarm("rollback", SERVICE="cart")

    assert failures(seen) == []
    assert builds.image_of(stack, "cart") == before


def test_another_password_of_redis_loses_no_request(stack, load, figures):
    began = time.monotonic()

    with load.during("rotate redis") as seen:
        stack.swarm("rotate", WHAT="redis")

    figures.put("rotate Redis' password, s", round(time.monotonic() - began, 1))
    assert failures(seen) == []


def test_of_ten_thousand_requests_none_failed_and_no_order_is_lost_or_doubled(stack, load, figures):
    load.wait(REQUESTS, seconds=600)

    result = load.stop()

    told = ("requests", "failed", "kept", "orders", "ms", "cpu_of_a_core")
    figures.put("steady load", {name: result[name] for name in told})
    picture.draw(load.out)
    assert result["failures"] == []
    assert result["requests"] >= REQUESTS
    assert settled(stack, [load.orders]) == []


def settled(stack, records, seconds=60.0):
    """Return the findings of both auditors once the workers are done."""
    end = time.monotonic() + seconds
    while True:
        findings = audit(stack.evidence(records)) + findings_of(stack, getter(stack.url))
        if not findings or time.monotonic() > end:
            return findings
        time.sleep(2)
