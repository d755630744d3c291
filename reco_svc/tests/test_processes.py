"""Trainings in processes of their own, on the real CouchDB-protocol server: killed, and short of memory."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from chassis.couch import couch_repository, ensure
from chassis.testing.couch import couch_server, fresh_databases
from reco import repositories
from tests.parts import Desk
from tests.worker import PAGE, shoppers

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def server():
    with couch_server() as running:
        yield running


@pytest.fixture
def desk(server):
    with fresh_databases() as prefix:
        ensure(repositories.COLLECTIONS)
        desk = Desk(couch_repository, page=PAGE, pages=2)
        shoppers(desk.history)
        desk.env = {"COUCHDB_URL": server.url, "COUCHDB_PREFIX": prefix}
        yield desk


def worker(desk, *arguments, **env):
    environment = os.environ | desk.env | {"PYTHONPATH": os.pathsep.join(sys.path)} | env
    return subprocess.Popen(  # noqa: S603 - our own
        [sys.executable, "-m", "tests.worker", *map(str, arguments)],
        cwd=Path(__file__).resolve().parent.parent, env=environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_a_worker_killed_half_way_is_followed_by_one_that_goes_on_and_learns_the_same(desk):
    good = desk.trains()
    training = desk.parts.trainings.training_request(requested_by="ann")
    with worker(desk, training.id, 6) as process:
        while process.stdout.readline() != "read 250\n":
            assert process.poll() is None
        process.kill()
    serving = desk.serving.get("main").model
    desk.now += timedelta(minutes=11)
    desk.parts.trainings.training_sweep()
    waiting = desk.trainings.get(training.id)

    with worker(desk, training.id) as process:
        said = process.stdout.read().splitlines()

    done = desk.trainings.get(training.id)
    assert serving == good.id
    assert (waiting.status, waiting.step) == ("queued", "waiting for a worker, to go on after 200 events")
    assert said == ["read None", "read 200", "read 250", "read 300", "read 350", "ended done " + done.reason]
    assert (done.events, desk.models.get(done.id).file) == (400, desk.models.get(good.id).file)
    assert desk.serving.get("main").model == done.id


def test_a_training_that_needs_more_memory_than_it_may_take_fails_and_says_so(desk):
    good = desk.trains()
    training = desk.parts.trainings.training_request(requested_by="ann")

    with worker(desk, training.id, EVENTS="200000", TRAINING_MEMORY_MB="40") as process:
        said = process.stdout.read().splitlines()

    failed = desk.trainings.get(training.id)
    assert (process.returncode, failed.status, said[-1]) == (0, "failed", f"ended failed {failed.reason}")
    assert failed.reason == (
        "TooLarge: 40,000 events of 13,430 accounts and visits with 3,020 products and 77,400 neighbours "
        "need about 65 MB; TRAINING_MEMORY_MB allows 40 MB"
    )
    assert desk.serving.get("main").model == good.id
