from __future__ import annotations

from typing import Any

from swarm.deploy import changed_services
from swarm.rollout import ServiceStatus, service_status

NEW, OLD = {"ContainerSpec": {"Image": "shop:2"}}, {"ContainerSpec": {"Image": "shop:1"}}


def service(replicas: int = 1, update: str = "", template: dict[str, Any] = NEW) -> dict[str, Any]:
    found = {
        "Spec": {
            "TaskTemplate": {**template, "Runtime": "container"},
            "Mode": {"Replicated": {"Replicas": replicas}},
        }
    }
    return {**found, "UpdateStatus": {"State": update}} if update else found


def task(state: str, spec: dict[str, Any] = NEW, desired: str = "running", error: str = "") -> dict[str, Any]:
    return {"ID": "t", "DesiredState": desired, "Spec": spec, "Status": {"State": state, "Err": error}}


def test_a_task_of_the_old_image_does_not_count_as_running() -> None:
    status = service_status("cart", service(update="updating"), [task("running", OLD), task("starting")])

    assert status == ServiceStatus("cart", desired=1, running=0, outdated=1, update="updating")
    assert not status.settled


def test_a_service_has_settled_when_swarm_says_so_too() -> None:
    ended = task("shutdown", OLD, desired="shutdown")

    assert not service_status("cart", service(update="updating"), [task("running"), ended]).settled
    assert service_status("cart", service(update="completed"), [task("running"), ended]).settled


def test_a_service_that_swarm_rolled_back_has_settled() -> None:
    status = service_status(
        "cart", service(update="rollback_completed", template=OLD), [task("running", OLD)]
    )

    assert status.settled
    assert status.rolled_back


def test_a_task_without_a_node_says_why() -> None:
    status = service_status(
        "cart", service(), [task("pending", error="no suitable node (insufficient memory)")]
    )

    assert str(status) == "cart 0/1, no suitable node (insufficient memory)"


def test_scaled_to_nothing_is_settled_too() -> None:
    assert service_status("auth-standby", service(replicas=0), []).settled


def test_one_per_node_needs_at_least_one() -> None:
    door = {"Spec": {"TaskTemplate": NEW, "Mode": {"Global": {}}}}

    assert not service_status("gateway", door, []).settled
    assert service_status("gateway", door, [task("running"), task("running")]).settled


def test_changed_services_have_another_task_specification() -> None:
    before = {"cart": service(template=OLD), "auth": service(), "gone": service()}
    after = {"cart": service(), "auth": service(replicas=3), "new": service()}

    assert changed_services(before, after) == ["cart"]
