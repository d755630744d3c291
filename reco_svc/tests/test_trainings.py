"""Trainings: cancellation, progress, and their report."""

from __future__ import annotations

import pytest
from celery.schedules import crontab
from django.conf import settings
from rest_framework.test import APIClient

from chassis.testing.identity import staff
from reco import container
from reco.domain import Quality, Training, quality_alert
from reco.memory_budget import MemoryBudget
from reco.services.attempt import Attempt
from tests.world import World


@pytest.fixture
def world():
    world = World()
    for number in range(6):
        world.history.visit(f"s{number}", "tent", "torch")
    with container.container.override(world.parts):
        yield world


def test_a_waiting_training_is_cancelled_and_does_not_run(world):
    training = world.parts.trainings.training_request(requested_by="ann")
    client, headers = APIClient(), staff("reco.training.write")

    answers = [
        client.post(f"/api/reco/trainings/{training.id}/cancel", {}, format="json", headers=headers)
        for _ in range(2)
    ]
    ran = world.parts.trainings.training_run(training.id)

    assert [(one.status_code, one.json()["status"]) for one in answers] == [(200, "cancelled")] * 2
    assert (ran.status, ran.model) == ("cancelled", None)


def test_a_running_training_stops_at_its_next_step_and_nothing_is_promoted(world):
    good = world.trains()
    training = world.parts.trainings.training_request(requested_by="ann")
    after = world.history.after

    def read_while_somebody_cancels(cursor):
        world.parts.trainings.training_cancel(training.id)
        return after(cursor)

    world.history.after = read_while_somebody_cancels
    ran = world.parts.trainings.training_run(training.id)

    assert (ran.status, ran.promoted, ran.reason) == ("cancelled", False, "cancelled by staff")
    assert world.serving.get("main").model == good.id


def test_a_training_without_a_slot_does_not_run_beside_another(world):
    running = world.parts.trainings.training_request(requested_by="ann")
    orphan = world.trainings.add(Training(id="orphan", requested_at=world.now))

    refused = world.parts.trainings.training_run(orphan.id)
    world.parts.trainings.training_run(running.id)
    second = world.trainings.add(Training(id="second", requested_at=world.now))
    alone = world.parts.trainings.training_run(second.id)

    assert (refused.status, refused.reason) == ("failed", f"another training runs: {running.id}")
    assert (alone.status, alone.promoted) == ("done", True)


def test_after_a_cancelled_training_another_may_start(world):
    first = world.parts.trainings.training_request(requested_by="ann")
    world.parts.trainings.training_cancel(first.id)

    second = world.trains()

    assert (second.id != first.id, second.status) == (True, "done")


def test_a_training_that_has_ended_is_not_cancelled(world):
    training = world.trains()

    answer = APIClient().post(
        f"/api/reco/trainings/{training.id}/cancel", {}, format="json", headers=staff("reco.training.write")
    )

    assert answer.status_code == 409
    assert world.trainings.get(training.id).status == "done"


def test_a_training_shows_examples_to_look_at(world):
    assert world.trains().examples == {"tent": ["torch"], "torch": ["tent"]}


@pytest.mark.parametrize(
    ("ndcg", "visits", "before", "said"),
    [
        (0.1, 100, [0.2, 0.21, 0.19], "quality fell: NDCG@10 0.1000, usually 0.2000"),
        (0.18, 100, [0.2, 0.21, 0.19], ""),
        (0.1, 5, [0.2], ""),
        (0.1, 100, [], ""),
    ],
)
def test_a_fall_in_quality_raises_an_alert(ndcg, visits, before, said):
    found = quality_alert(Quality(ndcg, 0.5, 0.5, visits), [Quality(one, 0.5, 0.5, 100) for one in before])

    assert found == said


def test_progress_within_a_step_is_stored_once_a_second(world):
    training = world.parts.trainings.training_request(requested_by="ann")
    world.trainings.update(training.id, lambda one: one.start(world.now))
    ticks = iter([0.0, 0.1, 0.9, 1.1, 1.2])
    attempt = Attempt(
        training=world.trainings.get(training.id), trainings=world.trainings, budget=MemoryBudget(1),
        clock=lambda: world.now, tick=ticks.__next__,
    )  # fmt: skip
    steps = []

    for step in ("tuning", "tuning, step 1 of 9", "tuning, step 2 of 9", "tuning, step 3 of 9", "fitting"):
        attempt.progress(step, 0.5)
        steps.append(world.trainings.get(training.id).step)

    assert steps == ["tuning", "tuning", "tuning", "tuning, step 3 of 9", "fitting"]


def test_every_night_beat_queues_a_training_unless_one_is_open(world):
    from config.celery import app

    ((_, nightly),) = app.conf.beat_schedule.items()
    app.loader.import_default_modules()
    task = app.tasks[nightly["task"]]

    first, second = task(), task()

    assert nightly["schedule"] == crontab(minute="0", hour=str(settings.TRAIN_AT_HOUR))
    assert first == second
    assert (world.sent, world.trainings.get(first).requested_by) == ([first], "schedule")
