"""Trainings: cancelled, watched, and their report."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from chassis.testing.identity import staff
from reco import wiring
from reco.domain import Quality, quality_alert
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
