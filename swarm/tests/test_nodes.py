from __future__ import annotations

import pytest

from local.data import SERVICES
from swarm import nodes
from swarm.cluster import Failed
from swarm.shop import WITH_STANDBY
from swarm.tests.fake_docker import cluster, node


def test_one_node_gets_all_labels_except_standbys() -> None:
    wanted = nodes.plan([node("one", "manager")], azurite=True)

    assert wanted == {
        "id-one": [*(f"hivemart.{name}-couch" for name in SERVICES), "hivemart.azurite", "hivemart.edge"]
    }


def test_three_nodes_share_the_data_and_separate_a_standby_from_its_leader() -> None:
    machines = [node("one", "manager"), node("two"), node("three")]

    wanted = nodes.plan(machines, azurite=True)

    assert sorted(len([label for label in labels if label != nodes.EDGE]) for labels in wanted.values()) == [
        3,
        3,
        4,
    ]
    for service in WITH_STANDBY:
        holders = [
            next(name for name, labels in wanted.items() if f"hivemart.{service}-{part}" in labels)
            for part in ("couch", "standby")
        ]
        assert len(set(holders)) == 2


def test_an_existing_label_stays_on_its_node() -> None:
    machines = [
        node("one", "manager"),
        node("two", **{"hivemart.auth-couch": "true", "hivemart.edge": "true"}),
    ]

    wanted = nodes.plan(machines, azurite=False)

    given = [label for labels in wanted.values() for label in labels]
    assert "hivemart.auth-couch" not in given
    assert "hivemart.edge" not in given
    assert "hivemart.auth-standby" in wanted["id-one"]


def test_a_node_that_is_down_gets_nothing() -> None:
    wanted = nodes.plan([node("one", "manager"), node("two", state="down")], azurite=True)

    assert list(wanted) == ["id-one"]


def test_no_ready_node_is_an_error() -> None:
    with pytest.raises(Failed, match="docker node ls"):
        nodes.plan([node("one", state="down")], azurite=True)


def test_labels_are_set_once() -> None:
    here = cluster()

    first, second = nodes.ensure_labels(here), nodes.ensure_labels(here)

    assert len(first) == 1
    assert second == []


def test_a_standby_without_a_node_is_refused_with_the_remedy() -> None:
    alone = cluster()

    with pytest.raises(Failed, match=r"No node has the label hivemart\.checkout-standby=true"):
        nodes.require_node_for(alone, "checkout-standby")

    alone.api.machines[0]["Spec"]["Labels"] = {"hivemart.checkout-standby": "true"}
    nodes.require_node_for(alone, "checkout-standby")
