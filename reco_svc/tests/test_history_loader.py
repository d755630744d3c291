"""The history loader: parts that are stored, checked, and deleted if they do not fit."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from reco.domain import READING, Training
from reco.services.history_loader import FILE
from tests.worker import PAGE, shoppers
from tests.world import NOW, World

EVENTS = 400


class Killed(BaseException):
    """An exception that ends a process without notice."""


@pytest.fixture
def world():
    world = World(page=PAGE, pages=2)
    shoppers(world.history)
    return world


def killed_after(world, pages):
    """Return a training whose worker is lost after so many pages, swept ten minutes later."""
    training = world.parts.trainings.training_request(requested_by="ann")
    after, read = world.history.after, []

    def until(cursor):
        read.append(cursor)
        if len(read) > pages:
            raise Killed
        return after(cursor)

    world.history.after = until
    with pytest.raises(Killed):
        world.parts.trainings.training_run(training.id)
    world.history.after = after
    world.now += timedelta(minutes=11)
    world.parts.trainings.training_sweep()
    world.history.asked.clear()
    return world.trainings.get(training.id)


def parts(world):
    return [(one.id, one.start, one.end, one.events) for one in world.read.find("id", limit=100).items]


def test_a_training_killed_while_reading_is_resumed(world):
    waiting = killed_after(world, 5)
    kept = parts(world)

    done = world.parts.trainings.training_run(waiting.id)

    assert (waiting.status, waiting.step) == ("queued", "waiting for a worker, to go on after 200 events")
    assert kept == [("00000001", None, "100", 100), ("00000002", "100", "200", 100)]
    assert (done.status, done.events, done.attempt) == ("done", EVENTS, 2)
    assert world.history.asked == [None, "200", "250", "300", "350"]


def test_a_resumed_training_learns_the_same(world):
    other = World()
    shoppers(other.history)

    killed = world.parts.trainings.training_run(killed_after(world, 5).id)
    other.now = world.now

    assert world.models.get(killed.id).file == other.models.get(other.trains().id).file


def test_the_next_training_resumes_the_reading_of_a_failed_one(world):
    world.trainings.update(killed_after(world, 5).id, lambda training: training.fail(world.now, "no more"))

    done = world.trains()

    assert (done.status, done.events) == ("done", EVENTS)
    assert world.history.asked[:2] == [None, "200"]


def test_a_training_without_progress_fails_and_the_model_stays(world):
    good = world.trains()

    training = killed_after(world, 1)

    assert (training.status, training.reason) == ("failed", "the worker was lost")
    assert world.serving.get("main").model == good.id


def test_a_slow_worker_stops_after_a_takeover(world):
    training = world.parts.trainings.training_request(requested_by="ann")
    after, read = world.history.after, []

    def slow(cursor):
        read.append(cursor)
        if len(read) == 5:
            world.now += timedelta(minutes=11)
            world.parts.trainings.training_sweep()
            world.history.after = after
            world.parts.trainings.training_run(training.id)
            world.history.after = slow
        return after(cursor)

    world.history.after = slow
    late = world.parts.trainings.training_run(training.id)

    assert (late.status, late.attempt, late.events) == ("done", 2, EVENTS)
    assert [model.id for model in world.models.find("by_time", limit=9).items] == [training.id]


def test_stored_parts_are_deleted_after_a_training(world):
    killed = killed_after(world, 5)

    world.parts.trainings.training_run(killed.id)

    assert parts(world) == []


def test_a_damaged_part_and_its_followers_are_read_again(world):
    killed = killed_after(world, 7)
    second = world.read.get("00000002")
    world.read.attach(second, FILE, world.read.attachment(second.id, FILE)[:-9], "application/gzip")

    done = world.parts.trainings.training_run(killed.id)

    assert (done.status, done.events) == ("done", EVENTS)
    assert world.history.asked[:3] == [None, "100", "150"]


def test_a_part_whose_events_were_never_stored_is_read_again(world):
    killed = killed_after(world, 7)
    world.read.detach(world.read.get("00000003"), FILE)

    world.parts.trainings.training_run(killed.id)

    assert world.history.asked[:2] == [None, "200"]


@pytest.mark.parametrize("why", ["another history", "older than a day", "another format", "a gap"])
def test_parts_that_do_not_fit_are_deleted(world, why):
    killed = killed_after(world, 5)

    def spoil(part):
        if why == "another history":
            return replace(part, first="another event")
        if why == "another format":
            return replace(part, format=0)
        if why == "a gap":
            return replace(part, start="7")
        return replace(part, at=part.at - timedelta(days=1))

    world.read.update("00000001", spoil)

    done = world.parts.trainings.training_run(killed.id)

    assert (done.status, done.events) == ("done", EVENTS)
    assert world.history.asked[:2] == [None, "50"]


def test_an_unknown_cursor_restarts_the_reading(world):
    killed = killed_after(world, 7)
    del world.history.events[EVENTS // 4 :]

    done = world.parts.trainings.training_run(killed.id)

    assert (done.status, done.events) == ("done", EVENTS // 4)


def test_forgotten_events_in_stored_parts_are_left_out(world):
    killed = killed_after(world, 5)
    world.parts.erasure.people_forget(["session:s0"])

    assert world.parts.trainings.training_run(killed.id).events == EVENTS - 2


def test_a_training_is_resumed_only_after_progress():
    training = Training(id="t", requested_at=NOW)
    training.start(NOW)
    training.record_read(100, NOW)
    training.lose_worker(NOW)
    training.start(NOW)
    training.record_read(100, NOW)

    training.lose_worker(NOW)

    assert (training.step, training.status, training.reason) == (READING, "failed", "the worker was lost")
