"""Monthly databases in a deployed shop, against the real server with its users.

`prepare` creates them as the server's administrator; the service's own user may create none.
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
from logs import container
from logs.services import Days, Visitor

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def couch():
    with couch_server() as running:
        yield running


@pytest.fixture
def deployed(couch, tmp_path):
    """Return the service as its own user, over databases that are not prepared yet."""
    with fresh_databases() as prefix:
        own = f"http://user-of-{prefix}:secret@127.0.0.1:{couch.port}"
        with override_settings(COUCHDB_URL=own):
            world = World(tmp_path / "journal", create_months=False)
            with container.container.override(world.parts):
                yield world


@pytest.fixture
def prepare(couch):
    def run():
        with override_settings(COUCHDB_ADMIN_URL=couch.url):
            call_command("prepare", stdout=StringIO())

    return run


def send(world, name):
    payload = [{"type": "view", "product_id": name}]
    assert world.parts.intake.events_accept(payload, Visitor()).accepted == 1
    assert world.parts.flusher.flush() == 0


def stored(world, month):
    rows = world.parts.registry.open(f"events-{month}").all_docs({"startkey": "event:", "include_docs": True})
    return [row["doc"]["product_id"] for row in rows]


@contextmanager
def alarms(name="logs.services.maintenance"):
    """Collect the messages logged with an alarm."""
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


def test_a_prepared_shop_runs_for_a_year(deployed, prepare):
    prepare()
    first = deployed.parts.registry.months().all

    deployed.now = NOW + timedelta(days=365)
    deployed.parts.registry.invalidate()
    with alarms() as said:
        deployed.parts.maintenance.months_rotate()
    send(deployed, "a-year-later")

    assert (len(first), first[0], first[-1]) == (14, "2026-03", "2027-04")
    assert stored(deployed, "2027-03") == ["a-year-later"]
    assert said == ["months ahead with databases: 1; run `manage.py prepare`, or `make deploy`"]
    assert readiness() == {"status": "degraded", "missing": ["months ahead"]}


def test_prepared_months_raise_no_alarm(deployed, prepare):
    prepare()

    with alarms() as said:
        deployed.parts.maintenance.months_rotate()

    assert said == []
    assert readiness() == {"status": "ok", "missing": []}


def test_events_go_to_the_last_month_if_none_is_prepared(deployed, prepare):
    prepare()
    send(deployed, "in-March")
    deployed.now = NOW + timedelta(days=450)
    deployed.parts.registry.invalidate()
    deployed.parts.maintenance.months_rotate()
    send(deployed, "too-late")
    before = (deployed.parts.registry.count_ahead(), stored(deployed, "2027-04"))

    prepare()
    send(deployed, "in-its-month")

    assert before == (-1, ["too-late"])
    assert deployed.parts.registry.count_ahead() == 13
    assert stored(deployed, "2027-06") == ["in-its-month"]
    # March 2026 is older than events are kept, and was dropped as a whole.
    assert [event.product_id for event in deployed.all_events()] == ["too-late", "in-its-month"]
    day = deployed.now.date()
    assert deployed.parts.stats.timeseries(Days(day, day))[0].counts == {"view": 2}


def test_events_accepted_before_prepare_wait(deployed, prepare):
    answer = deployed.parts.intake.events_accept([{"type": "view", "product_id": "p1"}], Visitor())
    waiting = deployed.parts.flusher.flush()

    prepare()
    deployed.parts.flusher.flush()

    assert (answer.accepted, waiting) == (1, 1)
    assert stored(deployed, "2026-03") == ["p1"]


def test_a_backup_saves_the_existing_months(deployed, prepare, couch, tmp_path):
    prepare()
    deployed.now = NOW + timedelta(days=62)

    with override_settings(COUCHDB_ADMIN_URL=couch.url):
        call_command("backup", "--to", str(tmp_path / "backup"), stdout=StringIO())

    saved = sorted(path.name for path in (tmp_path / "backup").glob("events-*"))
    assert (len(saved), saved[0], saved[-1]) == (14, "events-2026-03.jsonl.gz", "events-2027-04.jsonl.gz")
