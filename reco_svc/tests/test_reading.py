"""Reading the history for a training: in parts that are kept, checked, and thrown away when they do not
fit."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from reco.domain import READING, Training
from reco.services.reading import FILE
from tests.parts import NOW, Desk
from tests.worker import PAGE, shoppers

EVENTS = 400


class Killed(BaseException):
    """What ends a process without a chance to say so."""


@pytest.fixture
def desk():
    desk = Desk(page=PAGE, pages=2)
    shoppers(desk.history)
    return desk


def killed_after(desk, pages):
    """A training whose worker is gone after so many pages, and the sweeper's verdict ten minutes later."""
    training = desk.parts.trainings.training_request(requested_by="ann")
    after, read = desk.history.after, []

    def until(cursor):
        read.append(cursor)
        if len(read) > pages:
            raise Killed
        return after(cursor)

    desk.history.after = until
    with pytest.raises(Killed):
        desk.parts.trainings.training_run(training.id)
    desk.history.after = after
    desk.now += timedelta(minutes=11)
    desk.parts.trainings.training_sweep()
    desk.history.asked.clear()
    return desk.trainings.get(training.id)


def parts(desk):
    return [(one.id, one.start, one.end, one.events) for one in desk.read.find("id", limit=100).items]


def test_a_training_whose_worker_is_killed_while_it_reads_goes_on_from_there(desk):
    waiting = killed_after(desk, 5)
    kept = parts(desk)

    done = desk.parts.trainings.training_run(waiting.id)

    assert (waiting.status, waiting.step) == ("queued", "waiting for a worker, to go on after 200 events")
    assert kept == [("00000001", None, "100", 100), ("00000002", "100", "200", 100)]
    assert (done.status, done.events, done.attempt) == ("done", EVENTS, 2)
    assert desk.history.asked == [None, "200", "250", "300", "350"]


def test_what_goes_on_learns_the_same_as_what_was_never_killed(desk):
    other = Desk()
    shoppers(other.history)

    killed = desk.parts.trainings.training_run(killed_after(desk, 5).id)
    other.now = desk.now

    assert desk.models.get(killed.id).file == other.models.get(other.trains().id).file


def test_the_next_training_too_goes_on_where_one_that_failed_had_stopped_reading(desk):
    desk.trainings.update(killed_after(desk, 5).id, lambda training: training.fail(desk.now, "no more"))

    done = desk.trains()

    assert (done.status, done.events) == ("done", EVENTS)
    assert desk.history.asked[:2] == [None, "200"]


def test_a_training_that_gets_no_further_fails_with_the_reason_and_the_model_stays(desk):
    good = desk.trains()

    training = killed_after(desk, 1)

    assert (training.status, training.reason) == ("failed", "the worker went away")
    assert desk.serving.get("main").model == good.id


def test_a_worker_that_was_only_slow_does_nothing_beside_the_one_that_came_after_it(desk):
    training = desk.parts.trainings.training_request(requested_by="ann")
    after, read = desk.history.after, []

    def slow(cursor):
        read.append(cursor)
        if len(read) == 5:
            desk.now += timedelta(minutes=11)
            desk.parts.trainings.training_sweep()
            desk.history.after = after
            desk.parts.trainings.training_run(training.id)
            desk.history.after = slow
        return after(cursor)

    desk.history.after = slow
    late = desk.parts.trainings.training_run(training.id)

    assert (late.status, late.attempt, late.events) == ("done", 2, EVENTS)
    assert [model.id for model in desk.models.find("by_time", limit=9).items] == [training.id]


def test_nothing_is_kept_when_a_training_has_ended(desk):
    killed = killed_after(desk, 5)

    desk.parts.trainings.training_run(killed.id)

    assert parts(desk) == []


def test_a_part_that_is_damaged_is_read_again_with_all_that_follow(desk):
    killed = killed_after(desk, 7)
    second = desk.read.get("00000002")
    desk.read.attach(second, FILE, desk.read.attachment(second.id, FILE)[:-9], "application/gzip")

    done = desk.parts.trainings.training_run(killed.id)

    assert (done.status, done.events) == ("done", EVENTS)
    assert desk.history.asked[:3] == [None, "100", "150"]


def test_a_part_whose_events_were_never_stored_is_read_again(desk):
    killed = killed_after(desk, 7)
    desk.read.detach(desk.read.get("00000003"), FILE)

    desk.parts.trainings.training_run(killed.id)

    assert desk.history.asked[:2] == [None, "200"]


@pytest.mark.parametrize("why", ["another history", "older than a day", "another format", "a gap"])
def test_what_does_not_fit_is_thrown_away_and_read_from_the_beginning(desk, why):
    killed = killed_after(desk, 5)

    def spoil(part):
        if why == "another history":
            return replace(part, first="another event")
        if why == "another format":
            return replace(part, format=0)
        if why == "a gap":
            return replace(part, start="7")
        return replace(part, at=part.at - timedelta(days=1))

    desk.read.update("00000001", spoil)

    done = desk.parts.trainings.training_run(killed.id)

    assert (done.status, done.events) == ("done", EVENTS)
    assert desk.history.asked[:2] == [None, "50"]


def test_a_place_that_logs_does_not_know_any_more_is_no_reason_to_fail(desk):
    killed = killed_after(desk, 7)
    del desk.history.events[EVENTS // 4 :]

    done = desk.parts.trainings.training_run(killed.id)

    assert (done.status, done.events) == ("done", EVENTS // 4)


def test_what_somebody_wants_forgotten_is_left_out_though_it_was_read_before(desk):
    killed = killed_after(desk, 5)
    desk.parts.forgetting.people_forget(["session:s0"])

    assert desk.parts.trainings.training_run(killed.id).events == EVENTS - 2


def test_a_training_that_fits_no_more_is_not_read_a_third_time_unless_it_gets_further():
    training = Training(id="t", requested_at=NOW)
    training.start(NOW)
    training.read_on(100, NOW)
    training.lose_worker(NOW)
    training.start(NOW)
    training.read_on(100, NOW)

    training.lose_worker(NOW)

    assert (training.step, training.status, training.reason) == (READING, "failed", "the worker went away")
