"""The use cases against a real server: bulk writes, JavaScript views, rollups, chains."""

import os
import subprocess
import sys
from datetime import timedelta

import pytest
from conftest import NOW, World
from test_services import lines

from chassis.clock import now
from chassis.couch import ensure
from chassis.testing.couch import couch_server, fresh_databases
from logs.repositories import FIXED
from logs.services import Days, EventFilter, Visitor

pytestmark = pytest.mark.integration

ONE_EVENT = """
import django; django.setup()
from logs.services import Visitor
from logs.container import dependencies
dependencies().intake.events_accept([{"type": "view", "product_id": "last"}], Visitor())
"""
DAYS = Days(NOW.date() - timedelta(days=2), NOW.date())
SOMEBODY = Visitor(session="s1")


@pytest.fixture(scope="module")
def couch():
    with couch_server() as running:
        yield running


@pytest.fixture
def real(couch, tmp_path):
    with fresh_databases():
        ensure(FIXED)
        yield World(tmp_path / "real")


def test_reported_events_are_stored_once(real):
    payload = [{"type": "view", "id": "e1"}, {"type": "search", "data": {"q": "Cup"}}, {"type": "purchase"}]

    answers = [real.parts.intake.events_accept(payload, SOMEBODY) for _ in range(2)]

    assert [(answer.accepted, len(answer.rejected)) for answer in answers] == [(2, 1)] * 2
    assert sorted(event.type for event in real.all_events()) == ["search", "search", "view"]


def test_a_history_is_imported_once(real):
    first = list(real.parts.importer.events_import(lines(1100)))[-1]
    again = list(real.parts.importer.events_import(lines(1100)))[-1]

    assert (first.stored, first.known) == (1100, 0)
    assert (again.stored, again.known) == (0, 1100)
    page = real.parts.event_queries.events_after(None, limit=1000)
    rest = real.parts.event_queries.events_after(page.next, limit=1000)
    assert [event.at for event in (*page.events, *rest.events)] == [
        NOW - timedelta(minutes=number) for number in range(1100)
    ]


def figures(each):
    stats, event_queries = each.parts.stats, each.parts.event_queries
    wanted = EventFilter(user="demo-person-1", type="view", start=NOW - timedelta(minutes=40))
    found = event_queries.events_list(wanted, limit=100, cursor=None)
    return [
        stats.timeseries(DAYS),
        stats.funnel(DAYS),
        stats.top_products(DAYS, type="view", limit=3),
        stats.top_products(DAYS, type="purchase", limit=3),
        stats.searches(DAYS, limit=3),
        stats.widgets(DAYS),
        [(event.at, event.product_id) for event in found],
    ]


def fill(each):
    list(each.parts.importer.events_import(lines(60)))
    for number, type in enumerate(["search", "purchase", "add_to_cart", "purchase"]):
        at = NOW - timedelta(days=number % 2)
        more = {"product_id": "p1", "quantity": 2, "query": "cup" if type == "search" else None}
        each.put(type=type, at=at, session=f"s{number}", amount=2400, currency="EUR", **more)
    for minute, type in enumerate(["impression", "click", "click", "add_to_cart"]):
        at = NOW - timedelta(minutes=10 - minute)
        each.put(type=type, at=at, session="s9", product_id="p9", data={"shelf": f"sale-{minute}"})


def test_figures_and_lists_equal_those_of_the_memory_store(real, tmp_path):
    fill(real)
    of_couch = figures(real)
    real.parts.maintenance.rollups_merge(all=True)
    merged = figures(real)
    from django.test import override_settings

    with override_settings(COUCHDB_URL="memory:"):
        memory_store = World(tmp_path / "twin")
        fill(memory_store)
        of_memory = figures(memory_store)

    assert of_couch == of_memory
    assert merged == of_couch
    assert of_couch[3:5] == [[("p1", 4)], [("cup", 1, 0)]]
    credited = [(shelf.shelf, shelf.counts["add_to_cart"]) for shelf in of_couch[5].widgets]
    assert sorted(credited) == [("sale-0", 0), ("sale-1", 0), ("sale-2", 1)]


def test_a_process_that_ends_stores_what_it_accepted(real, couch, tmp_path):
    from django.conf import settings

    env = os.environ | {
        "COUCHDB_URL": couch.url,
        "COUCHDB_PREFIX": settings.COUCHDB_PREFIX,
        "DATA_DIR": str(tmp_path / "other"),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    real.now = now()
    real.parts.registry.create_ahead()

    subprocess.run([sys.executable, "-c", ONE_EVENT], env=env, check=True, timeout=60)  # noqa: S603 - ours

    assert [event.product_id for event in real.all_events()] == ["last"]
    assert list((tmp_path / "other" / "journal" / "web").iterdir()) == []


def test_nothing_accepted_is_lost_when_the_store_is_killed(real, couch):
    parts = real.new_process(thread=True)
    for number in range(30):
        if number == 10:
            couch.stop(kill=True)
        if number == 20:
            couch.start()
        payload = [{"type": "view", "id": f"e{number}-{place}"} for place in range(10)]
        parts.intake.events_accept(payload, Visitor())

    settled = parts.flusher.wait_until_stored(30)

    assert settled
    assert len(real.all_events()) == 300
    assert sum(day.counts.get("view", 0) for day in real.parts.stats.timeseries(DAYS)) == 300
