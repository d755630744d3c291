from __future__ import annotations

import pytest

from local.data import SERVICES
from swarm import nodes
from swarm.cluster import Failed
from swarm.shop import WITH_STANDBY
from swarm.tests.fake_docker import cluster, node


def test_on_one_node_everything_is_there_but_standbys() -> None:
    wanted = nodes.plan([node("one", "manager")], azurite=True)

    assert wanted == {
        "id-one": [*(f"hivemart.{name}-couch" for name in SERVICES), "hivemart.azurite", "hivemart.edge"]
    }


def test_on_three_nodes_data_is_spread_and_a_standby_is_apart_from_its_leader() -> None:
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


def test_a_label_that_is_there_stays_where_it_is() -> None:
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


def test_without_a_ready_node_it_says_so() -> None:
    with pytest.raises(Failed, match="docker node ls"):
        nodes.plan([node("one", state="down")], azurite=True)


def test_labels_are_set_once() -> None:
    here = cluster()

    first, second = nodes.ensure(here), nodes.ensure(here)

    assert len(first) == 1
    assert second == []


def test_a_standby_without_a_node_for_it_is_refused_and_it_is_said_what_to_do() -> None:
    alone = cluster()

    with pytest.raises(Failed, match=r"No node has the label hivemart\.checkout-standby=true"):
        nodes.refuse_without(alone, "checkout-standby")

    alone.api.machines[0]["Spec"]["Labels"] = {"hivemart.checkout-standby": "true"}
    nodes.refuse_without(alone, "checkout-standby")
