"""The use cases against a real server: bulk writes, views as JavaScript, indexes as they are built there."""

from datetime import timedelta

import pytest
from conftest import NOW, World
from test_services import lines

from chassis.couch import couch_repository, ensure
from chassis.testing.couch import couch_server, fresh_databases
from logs.domain import Event
from logs.repositories import AUDIT, COLLECTIONS, EVENTS
from logs.services import Days, EventFilter

pytestmark = pytest.mark.integration

DAYS = Days(NOW.date() - timedelta(days=2), NOW.date())


@pytest.fixture(scope="module")
def couch():
    with couch_server() as running:
        yield running


@pytest.fixture
def real(couch):
    with fresh_databases():
        ensure(COLLECTIONS)
        yield World(events=couch_repository(EVENTS), audit=couch_repository(AUDIT))


def test_told_events_are_stored_once(real):
    told = [{"type": "view", "id": "e1"}, {"type": "search", "data": {"q": "Cup"}}, {"type": "purchase"}]

    answers = [real.parts.intake.events_accept(told, user=None, session="s1") for _ in range(2)]

    assert [(answer.accepted, len(answer.rejected)) for answer in answers] == [(2, 1)] * 2
    assert sorted(event.type for event in real.all_events()) == ["search", "search", "view"]


def test_a_history_is_imported_once(real):
    first = list(real.parts.importing.events_import(lines(1100)))[-1]
    again = list(real.parts.importing.events_import(lines(1100)))[-1]

    assert (first.stored, first.known) == (1100, 0)
    assert (again.stored, again.known) == (0, 1100)
    page = real.parts.reading.events_after(None, limit=1000)
    rest = real.parts.reading.events_after(page.next, limit=1000)
    assert [event.id for event in (*page, *rest)] == [f"i-demo-{number}" for number in range(1100)]


def test_figures_and_lists_are_those_of_the_twin(real, world):
    for each in (real, world):
        list(each.parts.importing.events_import(lines(60)))
        for number, type in enumerate(["search", "purchase", "add_to_cart", "purchase"]):
            id = f"more-{number}"
            at = NOW - timedelta(days=number % 2)
            more = {"product_id": "p1", "quantity": 2, "query": "cup" if type == "search" else None}
            each.events.add(Event(id=id, arrived=id, type=type, at=at, session=f"s{number}", **more))

    def figures(each):
        stats, reading = each.parts.stats, each.parts.reading
        wanted = EventFilter(user="demo-person-1", type="view", start=NOW - timedelta(minutes=40))
        found = reading.events_list(wanted, limit=100, cursor=None)
        return [
            stats.timeseries(DAYS),
            stats.funnel(DAYS),
            stats.top_products(DAYS, type="view", limit=3),
            stats.top_products(DAYS, type="purchase", limit=3),
            stats.searches(DAYS, limit=3),
            [event.id for event in found],
        ]

    assert figures(real) == figures(world)
    assert figures(real)[3:5] == [[("p1", 4)], [("cup", 1)]]
