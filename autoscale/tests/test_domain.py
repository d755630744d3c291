"""Room on nodes, and what people told."""

import dataclasses

import pytest

from autoscaling.domain import BadOverride, Cluster, Node, Overrides, Placement, Service, Task, room_for
from autoscaling.domain.swarm import Resources
from autoscaling.policy import BadLabel, config_from_labels

GIB = 1 << 30
WEB = Service("web", "shop_web", 1, 2, {}, reserved=Resources(0.5, GIB))


def node(id="n1", *, cpus=4.0, memory=16, **more):
    return Node(id=id, name=f"host-{id}", role="worker", resources=Resources(cpus, memory * GIB), **more)


def task(id, node="n1", service="web", reserved=WEB.reserved, state="running"):
    return Task(id, service, node, state, created=0.0, since=0.0, reserved=reserved)


def room(service=WEB, nodes=(), tasks=()):
    return room_for(service, Cluster(0.0, [service], list(tasks), list(nodes or [node()])))


def test_the_scarcest_resource_decides():
    assert room(nodes=[node(cpus=4, memory=3)]) == 3
    assert room(nodes=[node(cpus=1, memory=99)]) == 2


def test_what_others_reserved_is_not_there_and_our_own_tasks_count():
    tasks = [task("t1"), task("t2", service="db", reserved=Resources(2.0, GIB))]

    assert room(tasks=tasks) == 1 + 3  # 4 CPUs less 2.5 are 1.5: three of 0.5


def test_tasks_without_a_place_take_no_room():
    assert room(tasks=[task("t1", node="", state="pending")]) == 8


def test_nodes_that_are_drained_or_down_hold_only_what_runs_there():
    assert room(nodes=[node(), node("n2", usable=False)], tasks=[task("t1", "n2")]) == 1 + 8


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        ("node.role == worker", 8),
        ("node.role==manager", 0),
        ("node.role != manager", 8),
        ("node.hostname == HOST-N1", 8),
        ("node.labels.disk == ssd", 8),
        ("node.labels.disk != ssd", 0),
        ("node.labels.zone == b", 0),
        ("node.platform.os == linux", 8),
        ("engine.labels.x == y", None),
        ("what is this", None),
    ],
)
def test_constraints_are_read_as_swarm_reads_them_and_others_make_room_unknown(constraint, expected):
    service = dataclasses.replace(WEB, placement=Placement((constraint,)))

    assert room(service, [node(labels={"disk": "ssd"})]) == expected


def test_at_most_so_many_per_node():
    service = dataclasses.replace(WEB, placement=Placement((), 2))

    assert room(service, [node(), node("n2")], [task("t1")]) == 4


def test_what_reserves_nothing_always_fits():
    assert room(dataclasses.replace(WEB, reserved=Resources())) == 1000


def test_overrides_go_before_labels():
    told = Overrides(1, {"web:max": "3", "web:paused": "true", "other:min": "9"})

    labels = told.labels("web", {"autoscale.max": "8", "autoscale.enabled": "true"})

    assert labels == {"autoscale.max": "3", "autoscale.enabled": "true", "autoscale.paused": "true"}


@pytest.mark.parametrize(
    ("told", "own", "expected"),
    [
        ({"web:max": "2"}, {"min": "4", "max": "8"}, (2, 2)),
        ({"web:min": "9"}, {"min": "4", "max": "8"}, (9, 9)),
        ({}, {"min": "4", "max": "8"}, (4, 8)),
        ({"web:min": "12"}, {}, (12, 12)),
        ({"web:min": "12"}, {"max": " 8.0 "}, (12, 12)),
        ({"web:max": "3"}, {"min": "5.0"}, (3, 3)),
        ({"web:min": "2", "web:max": "3"}, {"min": "5", "max": "9"}, (2, 3)),
    ],
)
def test_where_one_limit_was_told_the_other_one_makes_way_however_it_is_labelled(told, own, expected):
    labelled = {"autoscale.enabled": "true", **{f"autoscale.{name}": text for name, text in own.items()}}

    config = config_from_labels(Overrides(1, told).labels("web", labelled))

    assert (config.min, config.max) == expected


def test_a_pause_does_not_hide_what_is_wrong_with_labels():
    told = Overrides(1, {"web:paused": "true"})

    for wrong in ({"min": "5", "max": "3"}, {"max": "many"}):
        labels = {"autoscale.enabled": "true", **{f"autoscale.{name}": text for name, text in wrong.items()}}
        with pytest.raises(BadLabel):
            config_from_labels(told.labels("web", labels))


def test_a_change_leaves_the_others():
    before = Overrides(1, {"hold": "true", "web:max": "3"})

    assert before.with_hold(False) == {"web:max": "3"}
    assert before.with_pause("web", True) == {"hold": "true", "web:max": "3", "web:paused": "true"}
    assert before.with_limits("web", 2, None) == {"hold": "true", "web:min": "2"}
    assert (before.hold, Overrides().hold) == (True, False)


@pytest.mark.parametrize(("low", "high"), [(0, None), (None, 1001), (5, 4)])
def test_limits_that_make_no_sense_are_refused(low, high):
    with pytest.raises(BadOverride):
        Overrides().with_limits("web", low, high)
