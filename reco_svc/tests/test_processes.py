"""Trainings in their own processes on the CouchDB-protocol server: killed, and short of memory."""

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
from tests.worker import PAGE, shoppers
from tests.world import World

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def server():
    with couch_server() as running:
        yield running


@pytest.fixture
def world(server):
    with fresh_databases() as prefix:
        ensure(repositories.COLLECTIONS)
        world = World(couch_repository, page=PAGE, pages=2)
        shoppers(world.history)
        world.env = {"COUCHDB_URL": server.url, "COUCHDB_PREFIX": prefix}
        yield world


def worker(world, *arguments, **env):
    environment = os.environ | world.env | {"PYTHONPATH": os.pathsep.join(sys.path)} | env
    return subprocess.Popen(  # noqa: S603 - our own
        [sys.executable, "-m", "tests.worker", *map(str, arguments)],
        cwd=Path(__file__).resolve().parent.parent, env=environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_a_killed_training_is_resumed_with_the_same_result(world):
    good = world.trains()
    training = world.parts.trainings.training_request(requested_by="ann")
    with worker(world, training.id, 6) as process:
        while process.stdout.readline() != "read 250\n":
            assert process.poll() is None
        process.kill()
    serving = world.serving.get("main").model
    world.now += timedelta(minutes=11)
    world.parts.trainings.training_sweep()
    waiting = world.trainings.get(training.id)

    with worker(world, training.id) as process:
        said = process.stdout.read().splitlines()

    done = world.trainings.get(training.id)
    assert serving == good.id
    assert (waiting.status, waiting.step) == ("queued", "waiting for a worker, to go on after 200 events")
    assert said == ["read None", "read 200", "read 250", "read 300", "read 350", "ended done " + done.reason]
    assert (done.events, world.models.get(done.id).file) == (400, world.models.get(good.id).file)
    assert world.serving.get("main").model == done.id


def test_a_training_over_its_memory_limit_fails_with_a_reason(world):
    good = world.trains()
    training = world.parts.trainings.training_request(requested_by="ann")

    with worker(world, training.id, EVENTS="200000", TRAINING_MEMORY_MB="40") as process:
        said = process.stdout.read().splitlines()

    failed = world.trainings.get(training.id)
    assert (process.returncode, failed.status, said[-1]) == (0, "failed", f"ended failed {failed.reason}")
    assert failed.reason == (
        "TooLarge: 40,000 events of 13,430 accounts and visits with 3,020 products and 77,400 neighbours "
        "need about 65 MB; TRAINING_MEMORY_MB allows 40 MB"
    )
    assert world.serving.get("main").model == good.id
