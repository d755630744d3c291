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
    return [
        name for name in SERVICES if plan.preparation_mark(name, before) != plan.preparation_mark(name, now)
    ]


def test_the_same_month_needs_no_preparation() -> None:
    assert due(plan(), NOVEMBER, LATER) == []


def test_a_new_month_prepares_services_with_monthly_databases() -> None:
    assert due(plan(), LATER, DECEMBER) == ["logs"]
    assert due(plan(), NOVEMBER, NOVEMBER.replace(year=2027)) == ["logs"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_new_image_is_prepared(name: str) -> None:
    one = plan()
    two = Plan(one.cluster, one.variables, plan(**{name: "hivemart:2"}).document, one.stores)

    assert [
        each for each in SERVICES if one.preparation_mark(each, LATER) != two.preparation_mark(each, LATER)
    ] == [name]
