"""Who must not write is waited for, also where Swarm has stopped counting."""

from __future__ import annotations

import itertools

import pytest

from swarm import holding
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


def test_a_task_that_is_to_end_is_waited_for():
    cluster = Small(looks=3)

    holding.wait_until_gone(cluster, ["cart"], seconds=10, pause=0.01)

    assert holding.living(cluster, "cart") == []


def test_one_that_does_not_end_is_told():
    with pytest.raises(Failed, match=r"cart did not end within 0 s\. The same command"):
        holding.wait_until_gone(Small(), ["cart"], seconds=0.02, pause=0.01)


def test_of_one_on_a_machine_out_of_reach_it_is_told_what_to_do():
    with pytest.raises(Failed, match=r"Of two nobody knows: turn it off, then `docker node rm --force` it"):
        holding.wait_until_gone(Small(node="down"), ["cart"], seconds=0.02, pause=0.01)


@pytest.mark.parametrize("label", ["true", "false"])
def test_who_is_opened_again_is_the_autoscalers_only_if_it_was_before(monkeypatch, label):
    remembered, written = {}, []
    spec = {"Labels": {AUTOSCALED: label}, "Mode": {"Replicated": {"Replicas": 3}}}

    class One(Small):
        def services(self):
            return {"cart": {"Spec": spec}}

        def change(self, name, how):
            spec.update(how({"Spec": spec}))
            written.append((spec["Mode"]["Replicated"]["Replicas"], spec["Labels"][AUTOSCALED]))

    class Calm:
        def __init__(self, *_):
            pass

        def until_healthy(self, seconds):
            pass

    cluster = One(looks=0)
    cluster.options = Options()
    monkeypatch.setattr(holding, "Watch", Calm)
    monkeypatch.setattr(holding.state, "read", lambda _: dict(remembered))
    monkeypatch.setattr(holding.state, "write", lambda _, new: (remembered.clear(), remembered.update(new)))

    holding.hold(cluster, ["cart"], str)
    holding.hold(cluster, ["cart"], str)  # again, after it was interrupted
    holding.open_again(cluster, str)

    assert written == [(0, "false"), (0, "false"), (3, label)]
    assert remembered == {"held": {}, "held_scaled": {}}


def test_one_on_a_machine_that_a_person_has_turned_off_is_not_waited_for():
    holding.wait_until_gone(Small(node="down"), ["cart"], fenced=True, seconds=0.02, pause=0.01)
