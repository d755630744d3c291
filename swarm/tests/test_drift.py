"""What runs is compared with what should, and each difference is a sentence."""

from __future__ import annotations

import copy
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import NotFound

from swarm import drift, expected, maintenance, state
from swarm.cluster import Cluster, Failed
from swarm.expected import Expected, digest
from swarm.options import Options
from swarm.tests import fake_docker

TASK = {
    "ContainerSpec": {
        "Image": "hivemart-cart:1",
        "Env": ["DEBUG=false", "DOMAIN=shop.example"],
        "Secrets": [{"File": {"Name": "secret_key"}, "SecretName": "cart_key_v1"}],
        "Configs": [{"File": {"Name": "/etc/keys.json"}, "ConfigName": "keys_abc"}],
    },
    "Resources": {"Limits": {"NanoCPUs": 1_000_000_000, "MemoryBytes": 384 << 20}},
}
CART = Expected(
    image="hivemart-cart:1",
    image_id="sha256:one",
    settings={"DEBUG": digest("false"), "DOMAIN": digest("shop.example")},
    files={"secret_key": "cart_key_v1", "/etc/keys.json": "keys_abc"},
    cpus=1.0,
    memory=384 << 20,
)


class Api(fake_docker.Api):
    """A stack of one service with one task, made of the image `made_of`."""

    def __init__(self, task: dict[str, Any], labels: dict[str, str], replicas: int, made_of: str) -> None:
        super().__init__()
        mode = {"Replicated": {"Replicas": replicas}}
        spec = {"Name": "hivemart_cart", "Labels": labels, "Mode": mode, "TaskTemplate": task}
        self.live = [{"ID": "s", "Version": {"Index": 1}, "Spec": spec}]
        self._task, self._made_of = task, made_of

    def tasks(self, filters: dict[str, str]) -> list[dict[str, Any]]:
        status = {"State": "running", "ContainerStatus": {"ContainerID": "c"}}
        return [
            {
                "ServiceID": "s",
                "CreatedAt": "",
                "DesiredState": "running",
                "Status": status,
                "Spec": self._task,
            }
        ]

    def inspect_container(self, id: str) -> dict[str, str]:
        if not self._made_of:
            raise NotFound("on another node")
        return {"Image": self._made_of}

    def inspect_image(self, name: str) -> dict[str, str]:
        return {"Id": f"sha256:{'two' if name.endswith(':2') else 'one'}"}


def stack(
    task: dict[str, Any] = TASK,
    *,
    labels: dict[str, str] | None = None,
    replicas: int = 1,
    made_of: str = "sha256:one",
    wanted: Expected = CART,
) -> Cluster:
    empty = fake_docker.cluster()
    api = Api(task, labels or {}, replicas, made_of)
    api.kept = empty.api.kept

    def create(name: str, data: bytes, labels: dict[str, str]) -> None:
        api._keep("configs", name, data, labels)

    made = Cluster(SimpleNamespace(api=api, configs=SimpleNamespace(create=create)), Options())
    expected.write(made, {"cart": wanted})
    return made


def changed(**container: Any) -> dict[str, Any]:
    task = copy.deepcopy(TASK)
    task["ContainerSpec"] |= container
    return task


def test_no_drift_when_tasks_run_as_deployed():
    assert drift.find(stack()) == []
    drift.check(stack())


@pytest.mark.parametrize(
    ("task", "sentence"),
    [
        (changed(Image="hivemart-cart:2"), "cart runs hivemart-cart:2, not hivemart-cart:1"),
        (changed(Env=["DEBUG=true", "DOMAIN=shop.example"]), "cart has other settings: DEBUG"),
        (changed(Env=[*TASK["ContainerSpec"]["Env"], "MORE=1"]), "cart has other settings: MORE"),
        (changed(Secrets=[]), "cart has other secrets or configurations: secret_key"),
        (changed(Configs=[]), "cart has other secrets or configurations: /etc/keys.json"),
        (
            {**TASK, "Resources": {"Limits": {"NanoCPUs": 500_000_000, "MemoryBytes": 384 << 20}}},
            "cart may use 0.5 CPUs, not 1.0",
        ),
        (
            {**TASK, "Resources": {"Limits": {"NanoCPUs": 1_000_000_000}}},
            "cart may use any number of bytes of memory, not 402,653,184",
        ),
    ],
)
def test_each_difference_is_a_sentence_and_fails_the_check(task, sentence):
    cluster = stack(task)

    assert drift.find(cluster) == [sentence]
    with pytest.raises(Failed, match="not as it was deployed"):
        drift.check(cluster)


def test_an_image_of_the_same_name_is_known_by_its_id():
    cluster = stack(made_of="sha256:of last week")

    assert drift.find(cluster) == ["cart runs an older image of the name hivemart-cart:1"]
    assert drift.outdated(cluster, ["cart"]) == ["cart"]


def test_a_task_on_another_node_is_known_by_the_images_name():
    cluster = stack(made_of="")

    assert drift.find(cluster) == []
    assert drift.outdated(cluster, ["cart"]) == []


@pytest.mark.parametrize(
    ("replicas", "labels", "wanted", "sentences"),
    [
        (3, {}, 1, ["cart has 3 replicas, not 1"]),
        (3, {}, None, []),
        (3, {"autoscale.enabled": "true", "autoscale.min": "1", "autoscale.max": "8"}, None, []),
        (
            9,
            {"autoscale.enabled": "true", "autoscale.min": "1", "autoscale.max": "8"},
            None,
            ["cart has 9 replicas, and the autoscaler keeps 1 to 8"],
        ),
    ],
)
def test_replicas_are_those_of_the_files_or_within_the_autoscalers_range(replicas, labels, wanted, sentences):
    counted = replace(CART, replicas=wanted)

    assert drift.find(stack(replicas=replicas, labels=labels, wanted=counted)) == sentences


def test_services_in_maintenance_are_no_replica_drift():
    cluster = stack(replicas=0, wanted=replace(CART, replicas=1))
    state.write(cluster, {**state.read(cluster), "held": {"cart": 1}})

    assert maintenance.stopped_services(cluster) == {"cart": 1}
    assert drift.find(cluster) == []


def test_an_update_and_a_rotation_change_what_is_expected():
    cluster = stack()

    expected.set_images(cluster, {"cart": "hivemart-cart:2", "unknown": "x"})
    expected.set_files_and_settings(
        cluster, "cart", files={"secret_key": "cart_key_v2"}, settings={"DOMAIN": "new"}
    )

    known = expected.read(cluster)["cart"]
    assert (known.image, known.image_id) == ("hivemart-cart:2", "sha256:two")
    assert known.files["secret_key"] == "cart_key_v2"
    assert known.settings["DOMAIN"] == digest("new")
    assert known.settings["DEBUG"] == digest("false")


def test_a_stack_of_an_older_version_reports_no_drift():
    cluster = stack(changed(Image="hivemart-cart:0"))
    state.forget(cluster)

    assert drift.find(cluster) == []
