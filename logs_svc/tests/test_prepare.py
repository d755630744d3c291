"""Months as a deployed shop has them: made by `prepare` as the server's administrator, used by the service's
own user, who may make none. On the real server with its users.
"""

import logging
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO

import pytest
from conftest import NOW, World
from django.core.management import call_command
from django.test import Client, override_settings

from chassis.testing.couch import couch_server, fresh_databases
from logs import wiring
from logs.services import Days, Visitor

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def couch():
    with couch_server() as running:
        yield running


@pytest.fixture
def deployed(couch, tmp_path):
    """The service over databases that nobody has prepared yet, as its own user."""
    with fresh_databases() as prefix:
        own = f"http://user-of-{prefix}:secret@127.0.0.1:{couch.port}"
        with override_settings(COUCHDB_URL=own):
            world = World(tmp_path / "journal", made=False)
            with wiring.wiring.override(world.parts):
                yield world


@pytest.fixture
def prepare(couch):
    def run():
        with override_settings(COUCHDB_ADMIN_URL=couch.url):
            call_command("prepare", stdout=StringIO())

    return run


def tell(world, name):
    told = [{"type": "view", "product_id": name}]
    assert world.parts.intake.events_accept(told, Visitor()).accepted == 1
    assert world.parts.drain.drain() == 0


def stored(world, month):
    rows = world.parts.registry.open(f"events-{month}").all_docs({"startkey": "event:", "include_docs": True})
    return [row["doc"]["product_id"] for row in rows]


@contextmanager
def alarms(name="logs.services.keeping"):
    """What is said with an alarm meanwhile."""
    said = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage()) if hasattr(record, "alarm") else None
    logging.getLogger(name).addHandler(handler)
    try:
        yield said
    finally:
        logging.getLogger(name).removeHandler(handler)


def readiness():
    return Client().get("/readyz").json()


def test_a_shop_that_is_prepared_goes_on_for_a_year_without_anybody(deployed, prepare):
    prepare()
    first = deployed.parts.registry.months().all

    deployed.now = NOW + timedelta(days=365)
    deployed.parts.registry.forget()
    with alarms() as said:
        deployed.parts.keeper.months_keep()
    tell(deployed, "a-year-later")

    assert (len(first), first[0], first[-1]) == (14, "2026-03", "2027-04")
    assert stored(deployed, "2027-03") == ["a-year-later"]
    assert said == ["months after this one that have databases: 1; run `manage.py prepare`, or `make deploy`"]
    assert readiness() == {"status": "degraded", "missing": ["months ahead"]}


def test_with_months_to_come_nothing_is_missing(deployed, prepare):
    prepare()

    with alarms() as said:
        deployed.parts.keeper.months_keep()

    assert said == []
    assert readiness() == {"status": "ok", "missing": []}


def test_without_a_month_events_go_on_into_the_last_and_nothing_is_lost(deployed, prepare):
    prepare()
    tell(deployed, "in-March")
    deployed.now = NOW + timedelta(days=450)
    deployed.parts.registry.forget()
    deployed.parts.keeper.months_keep()
    tell(deployed, "too-late")
    before = (deployed.parts.registry.left(), stored(deployed, "2027-04"))

    prepare()
    tell(deployed, "in-its-month")

    assert before == (-1, ["too-late"])
    assert deployed.parts.registry.left() == 13
    assert stored(deployed, "2027-06") == ["in-its-month"]
    # March 2026 is older than events are kept, and was dropped as a whole.
    assert [event.product_id for event in deployed.all_events()] == ["too-late", "in-its-month"]
    day = deployed.now.date()
    assert deployed.parts.stats.timeseries(Days(day, day))[0].counts == {"view": 2}


def test_what_is_accepted_before_anything_is_prepared_waits(deployed, prepare):
    answer = deployed.parts.intake.events_accept([{"type": "view", "product_id": "p1"}], Visitor())
    waiting = deployed.parts.drain.drain()

    prepare()
    deployed.parts.drain.drain()

    assert (answer.accepted, waiting) == (1, 1)
    assert stored(deployed, "2026-03") == ["p1"]


def test_a_backup_in_a_later_month_saves_the_months_that_there_are(deployed, prepare, couch, tmp_path):
    prepare()
    deployed.now = NOW + timedelta(days=62)

    with override_settings(COUCHDB_ADMIN_URL=couch.url):
        call_command("backup", "--to", str(tmp_path / "backup"), stdout=StringIO())

    saved = sorted(path.name for path in (tmp_path / "backup").glob("events-*"))
    assert (len(saved), saved[0], saved[-1]) == (14, "events-2026-03.jsonl.gz", "events-2027-04.jsonl.gz")
