"""Who must not write is waited for, also where Swarm has stopped counting."""

from __future__ import annotations

import itertools

import pytest

from swarm import maintenance
from swarm.cluster import Failed
from swarm.options import Options
from swarm.shop import AUTOSCALED


class Small:
    """Two nodes and a service whose task ends after it was looked at a few times."""

    def __init__(self, *, looks=10**9, node="ready"):
        self._left, self._node = itertools.count(looks, -1), node

    def service(self, name):
        return {"ID": name}

    def tasks(self):
        state = "running" if next(self._left) > 0 else "complete"
        return {"cart": [{"NodeID": "n2", "Status": {"State": state}}]}

    def nodes(self):
        return [
            {"ID": "n1", "Status": {"State": "ready"}, "Description": {"Hostname": "one"}},
            {"ID": "n2", "Status": {"State": self._node}, "Description": {"Hostname": "two"}},
        ]


def test_maintenance_waits_for_ending_tasks():
    cluster = Small(looks=3)

    maintenance.wait_until_stopped(cluster, ["cart"], seconds=10, pause=0.01)

    assert maintenance.active_tasks(cluster, "cart") == []


def test_a_task_that_does_not_end_is_reported():
    with pytest.raises(Failed, match=r"cart did not end within 0 s\. The same command"):
        maintenance.wait_until_stopped(Small(), ["cart"], seconds=0.02, pause=0.01)


def test_a_task_on_an_unreachable_node_is_reported_with_the_remedy():
    with pytest.raises(Failed, match=r"Of two nobody knows: turn it off, then `docker node rm --force` it"):
        maintenance.wait_until_stopped(Small(node="down"), ["cart"], seconds=0.02, pause=0.01)


@pytest.mark.parametrize("label", ["true", "false"])
def test_leaving_maintenance_restores_replicas_and_the_autoscaler_label(monkeypatch, label):
    remembered, written = {}, []
    spec = {"Labels": {AUTOSCALED: label}, "Mode": {"Replicated": {"Replicas": 3}}}

    class One(Small):
        def services(self):
            return {"cart": {"Spec": spec}}

        def update_service(self, name, build):
            spec.update(build({"Spec": spec}))
            written.append((spec["Mode"]["Replicated"]["Replicas"], spec["Labels"][AUTOSCALED]))

    class Calm:
        def __init__(self, *_):
            pass

        def until_healthy(self, seconds):
            pass

    cluster = One(looks=0)
    cluster.options = Options()
    monkeypatch.setattr(maintenance, "RolloutWatcher", Calm)
    monkeypatch.setattr(maintenance.state, "read", lambda _: dict(remembered))
    monkeypatch.setattr(
        maintenance.state, "write", lambda _, new: (remembered.clear(), remembered.update(new))
    )

    maintenance.enter(cluster, ["cart"], str)
    maintenance.enter(cluster, ["cart"], str)  # again, after it was interrupted
    maintenance.leave(cluster, str)

    assert written == [(0, "false"), (0, "false"), (3, label)]
    assert remembered == {"held": {}, "held_scaled": {}}


def test_tasks_on_a_fenced_node_are_not_waited_for():
    maintenance.wait_until_stopped(Small(node="down"), ["cart"], fenced=True, seconds=0.02, pause=0.01)
