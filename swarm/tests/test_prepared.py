"""When `make deploy` prepares a service's databases again."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from local.data import SERVICES
from swarm.deploy import Plan
from swarm.options import parse
from swarm.secrets import Secrets
from swarm.tests.fake_docker import cluster
from swarm.tests.test_stack_files import IMAGES

NOVEMBER, LATER, DECEMBER = date(2026, 11, 3), date(2026, 11, 30), date(2026, 12, 1)


def plan(**images: Any) -> Plan:
    made = cluster()
    here = type(made)(made.docker, parse({"COUCHDB_IMAGE": "stand-in"}))
    Secrets(here).ensure()
    return Plan.make(here, {**IMAGES, **images})


def due(plan: Plan, before: date, now: date) -> list[str]:
    return [name for name in SERVICES if plan.prepared(name, before) != plan.prepared(name, now)]


def test_in_the_same_month_nothing_is_prepared_again() -> None:
    assert due(plan(), NOVEMBER, LATER) == []


def test_in_another_month_what_has_databases_by_the_month_is_prepared_again() -> None:
    assert due(plan(), LATER, DECEMBER) == ["logs"]
    assert due(plan(), NOVEMBER, NOVEMBER.replace(year=2027)) == ["logs"]


@pytest.mark.parametrize("name", SERVICES)
def test_another_image_is_prepared_with(name: str) -> None:
    one = plan()
    two = Plan(one.cluster, one.variables, plan(**{name: "hivemart:2"}).document, one.stores)

    assert [each for each in SERVICES if one.prepared(each, LATER) != two.prepared(each, LATER)] == [name]
