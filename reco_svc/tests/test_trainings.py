"""Trainings: cancelled, watched, and their report."""

from __future__ import annotations

import pytest
from celery.schedules import crontab
from django.conf import settings
from rest_framework.test import APIClient

from chassis.testing.identity import staff
from reco import wiring
from reco.domain import Quality, Training, quality_alert
from reco.memory import Room
from reco.services.attempt import Attempt
from tests.parts import Desk


@pytest.fixture
def desk():
    desk = Desk()
    for number in range(6):
        desk.history.visit(f"s{number}", "tent", "torch")
    with wiring.wiring.override(desk.parts):
        yield desk


def test_a_waiting_training_is_cancelled_and_does_not_run(desk):
    training = desk.parts.trainings.training_request(requested_by="ann")
    client, headers = APIClient(), staff("reco.training.write")

    answers = [
        client.post(f"/api/reco/trainings/{training.id}/cancel", {}, format="json", headers=headers)
        for _ in range(2)
    ]
    ran = desk.parts.trainings.training_run(training.id)

    assert [(one.status_code, one.json()["status"]) for one in answers] == [(200, "cancelled")] * 2
    assert (ran.status, ran.model) == ("cancelled", None)


def test_a_running_training_stops_at_its_next_step_and_nothing_is_promoted(desk):
    good = desk.trains()
    training = desk.parts.trainings.training_request(requested_by="ann")
    after = desk.history.after

    def read_while_somebody_cancels(cursor):
        desk.parts.trainings.training_cancel(training.id)
        return after(cursor)

    desk.history.after = read_while_somebody_cancels
    ran = desk.parts.trainings.training_run(training.id)

    assert (ran.status, ran.promoted, ran.reason) == ("cancelled", False, "cancelled by staff")
    assert desk.serving.get("main").model == good.id


def test_a_training_whose_asker_died_before_it_had_its_place_does_not_run_beside_another(desk):
    running = desk.parts.trainings.training_request(requested_by="ann")
    orphan = desk.trainings.add(Training(id="orphan", requested_at=desk.now))

    refused = desk.parts.trainings.training_run(orphan.id)
    desk.parts.trainings.training_run(running.id)
    second = desk.trainings.add(Training(id="second", requested_at=desk.now))
    alone = desk.parts.trainings.training_run(second.id)

    assert (refused.status, refused.reason) == ("failed", f"another training runs: {running.id}")
    assert (alone.status, alone.promoted) == ("done", True)


def test_after_a_cancelled_training_another_may_start(desk):
    first = desk.parts.trainings.training_request(requested_by="ann")
    desk.parts.trainings.training_cancel(first.id)

    second = desk.trains()

    assert (second.id != first.id, second.status) == (True, "done")


def test_a_training_that_has_ended_is_not_cancelled(desk):
    training = desk.trains()

    answer = APIClient().post(
        f"/api/reco/trainings/{training.id}/cancel", {}, format="json", headers=staff("reco.training.write")
    )

    assert answer.status_code == 409
    assert desk.trainings.get(training.id).status == "done"


def test_a_training_shows_examples_to_look_at(desk):
    assert desk.trains().examples == {"tent": ["torch"], "torch": ["tent"]}


@pytest.mark.parametrize(
    ("ndcg", "visits", "before", "said"),
    [
        (0.1, 100, [0.2, 0.21, 0.19], "quality fell: NDCG@10 0.1000, usually 0.2000"),
        (0.18, 100, [0.2, 0.21, 0.19], ""),
        (0.1, 5, [0.2], ""),
        (0.1, 100, [], ""),
    ],
)
def test_staff_are_told_when_quality_falls_and_only_then(ndcg, visits, before, said):
    found = quality_alert(Quality(ndcg, 0.5, 0.5, visits), [Quality(one, 0.5, 0.5, 100) for one in before])

    assert found == said


def test_parts_of_a_step_are_told_a_second_apart_and_a_new_step_at_once(desk):
    training = desk.parts.trainings.training_request(requested_by="ann")
    desk.trainings.update(training.id, lambda one: one.start(desk.now))
    ticks = iter([0.0, 0.1, 0.9, 1.1, 1.2])
    attempt = Attempt(
        training=desk.trainings.get(training.id), trainings=desk.trainings, room=Room(1),
        clock=lambda: desk.now, tick=ticks.__next__,
    )  # fmt: skip
    told = []

    for step in ("tuning", "tuning, step 1 of 9", "tuning, step 2 of 9", "tuning, step 3 of 9", "fitting"):
        attempt.progress(step, 0.5)
        told.append(desk.trainings.get(training.id).step)

    assert told == ["tuning", "tuning", "tuning", "tuning, step 3 of 9", "fitting"]


def test_every_night_beat_queues_a_training_unless_one_is_open(desk):
    from config.celery import app

    ((_, nightly),) = app.conf.beat_schedule.items()
    app.loader.import_default_modules()
    task = app.tasks[nightly["task"]]

    first, second = task(), task()

    assert nightly["schedule"] == crontab(minute="0", hour=str(settings.TRAIN_AT_HOUR))
    assert first == second
    assert (desk.sent, desk.trainings.get(first).requested_by) == ([first], "schedule")
