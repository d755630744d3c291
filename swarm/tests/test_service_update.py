"""Changing one thing of a service leaves everything else of it as it was, in its order."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import APIError

from swarm.cluster import NAMESPACE, Cluster, Failed
from swarm.maintenance import with_replicas
from swarm.options import Options
from swarm.service_image import STACK_IMAGE, label_images, with_image
from swarm.shop import AUTOSCALED, autoscaled
from swarm.tests.conftest import ROOT

MOUNTS = [{"Type": "tmpfs", "Target": "/tmp"}, {"Type": "tmpfs", "Target": "/data"}]  # noqa: S108 - a name


def service(**labels: str) -> dict[str, Any]:
    container = {"Image": "hivemart-cart:1", "Mounts": MOUNTS, "DNSConfig": {}}
    spec = {
        "Name": "hivemart_cart",
        "Labels": {NAMESPACE: "hivemart", **labels},
        "TaskTemplate": {"ContainerSpec": container},
        "Mode": {"Replicated": {"Replicas": 2}},
    }
    return {"ID": "id", "Version": {"Index": 7}, "Spec": spec}


class Api:
    """One service of Docker's, with a given number of concurrent writers."""

    def __init__(self, others: int, refusal: str = "rpc error: update out of sequence") -> None:
        self.kept, self.others, self.refusal = service(), others, refusal

    def services(self, filters: dict[str, str]) -> list[dict[str, Any]]:
        return [self.kept]

    def _url(self, path: str, *parts: str) -> str:
        return path.format(*parts)

    def _post_json(self, url: str, data: dict[str, Any], params: dict[str, int], headers: Any) -> Any:
        if self.others:
            self.others -= 1
            self.kept["Version"] = {"Index": self.kept["Version"]["Index"] + 1}
        if params["version"] != self.kept["Version"]["Index"]:
            raise APIError("no", explanation=self.refusal, response=None) from None
        self.kept = {**self.kept, "Spec": data}
        return SimpleNamespace()

    def _raise_for_status(self, answer: Any) -> None:
        pass


def cluster(api: Api) -> Cluster:
    return Cluster(SimpleNamespace(api=api), Options())


def test_a_new_image_keeps_the_order_of_mounts():
    api = Api(others=0)

    cluster(api).update_service("cart", lambda found: with_image(found, "hivemart-cart:2"))

    expected = service()["Spec"]
    expected["TaskTemplate"]["ContainerSpec"]["Image"] = "hivemart-cart:2"
    # Docker's `stack deploy` leaves a service alone whose label says what the files say.
    expected["Labels"][STACK_IMAGE] = "hivemart-cart:2"
    assert api.kept["Spec"] == expected


def test_the_same_image_again_rolls_the_tasks():
    forced = with_image(service(), "hivemart-cart:1")["TaskTemplate"]

    assert forced == {**service()["Spec"]["TaskTemplate"], "ForceUpdate": 1}


def test_a_stale_image_label_is_corrected_without_rolling_a_task():
    api = Api(others=0)
    api.kept["Spec"]["Labels"][STACK_IMAGE] = "hivemart-cart:0"

    label_images(cluster(api))

    assert api.kept["Spec"]["Labels"][STACK_IMAGE] == "hivemart-cart:1"
    assert api.kept["Spec"]["TaskTemplate"] == service()["Spec"]["TaskTemplate"]


@pytest.mark.parametrize(("labels", "after"), [({"autoscale.enabled": "true"}, "false"), ({}, None)])
def test_a_stopped_service_keeps_its_template_and_is_not_autoscaled(labels, after):
    found = service(**labels)

    held = with_replicas(found, 0, "false")

    assert held["TaskTemplate"] == found["Spec"]["TaskTemplate"]
    assert held["Mode"] == {"Replicated": {"Replicas": 0}}
    assert held["Labels"].get("autoscale.enabled") == after


def test_an_update_conflict_reads_the_service_again():
    api = Api(others=4)

    cluster(api).update_service("cart", lambda found: with_replicas(found, 1, "true"))

    assert api.kept["Spec"]["Mode"] == {"Replicated": {"Replicas": 1}}


@pytest.mark.parametrize("api", [Api(others=5), Api(others=1, refusal="no such image")])
def test_a_refusal_of_docker_is_raised_with_its_reason(api):
    with pytest.raises(Failed, match=f"cart is not updated: {api.refusal}"):
        cluster(api).update_service("cart", lambda found: with_replicas(found, 1, "true"))

    assert api.kept["Spec"] == service()["Spec"]


@pytest.mark.parametrize("text", ["true", "True", " 1", "yes", "ON", "false", "0", "no", "off", "", "x"])
def test_the_label_is_read_as_the_autoscaler_reads_it(text, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "autoscale")
    from autoscaling.labels import BadLabel, flag

    labels = {AUTOSCALED: text}
    try:
        expected = flag(labels, "enabled")
    except BadLabel:
        expected = False

    assert autoscaled(labels) == expected
