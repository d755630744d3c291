"""Which models stay, and who wins between a cancel and a promotion: in memory and on a CouchDB server."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chassis.couch import MemoryRepository, NotFound, couch_repository, ensure
from chassis.testing.couch import couch_server, fresh_databases
from reco import repositories
from reco.domain import Model
from tests.parts import NOW, Desk


@pytest.fixture(scope="module")
def server():
    with couch_server() as running:
        yield running


@pytest.fixture(params=["memory", pytest.param("couch", marks=pytest.mark.integration)])
def desk(request):
    if request.param == "memory":
        yield shop(Desk(MemoryRepository))
        return
    request.getfixturevalue("server")
    with fresh_databases():
        ensure(repositories.COLLECTIONS)
        yield shop(Desk(couch_repository))


def shop(desk):
    for number in range(6):
        desk.history.visit(f"s{number}", "tent", "torch")
    return desk


def trains(desk):
    desk.now += timedelta(hours=1)
    return desk.trains()


def loses_months(desk):
    """What is left says nothing of tents: models of it are refused."""
    desk.history.events.clear()
    for number in range(400):
        desk.history.visit(f"n{number}", f"a{number}", f"b{number}", ago=-1 - number / 1000)
    for number in range(44):
        desk.history.visit(f"t{number}", "tent", "torch", ago=-2 - number / 1000)
    desk.now += timedelta(days=3)


def kept(desk):
    return {model.id for model in desk.models.find("by_time", limit=100).items}


def left_by_a_killed_training(desk, number, *, open):
    training = desk.parts.trainings.training_request(requested_by="ann")
    desk.trainings.update(training.id, lambda one: one.start(desk.now))
    model = desk.models.add(Model(id=training.id, algorithm="x", trained_at=NOW + timedelta(days=number)))
    desk.models.attach(model, f"{number}.lists", b"lists", "application/octet-stream")
    if not open:
        desk.trainings.update(training.id, lambda one: one.fail(desk.now, "the worker went away"))
    return model.id


def test_of_models_that_were_refused_the_newest_two_stay_beside_those_that_served(desk):
    served = [trains(desk).id for _ in range(2)]
    loses_months(desk)
    refused = [trains(desk) for _ in range(4)]

    assert [one.promoted for one in refused] == [False] * 4
    assert kept(desk) == {*served, *(one.id for one in refused[2:])}
    with pytest.raises(NotFound):
        desk.models.attachment(refused[0].id, "whatever it was called")


def test_what_served_before_the_last_three_goes_with_its_file(desk):
    ids = [trains(desk).id for _ in range(2)]
    file = desk.models.get(ids[0]).file
    held = desk.models.attachment(ids[0], file)
    ids += [trains(desk).id for _ in range(2)]

    assert kept(desk) == set(ids[1:])
    assert held
    with pytest.raises(NotFound):
        desk.models.attachment(ids[0], file)


def test_what_killed_trainings_left_goes_and_what_is_being_trained_stays(desk):
    good = trains(desk).id
    killed = left_by_a_killed_training(desk, 1, open=False)
    running = left_by_a_killed_training(desk, 2, open=True)
    desk.models.add(Model(id="of-no-training", algorithm="x", trained_at=NOW))

    swept = desk.parts.trainings.model_sweep()

    assert (swept, kept(desk)) == (2, {good, running})
    with pytest.raises(NotFound):
        desk.models.attachment(killed, "1.lists")


def test_a_sweep_before_the_first_model_finds_nothing(desk):
    assert desk.parts.trainings.model_sweep() == 0


def while_a_model_is_kept(desk, happens):
    """The next training, with `happens(its id)` after its last look at itself and before its promotion."""
    training = desk.parts.trainings.training_request(requested_by="ann")
    attach = desk.models.attach

    def attach_meanwhile(*arguments):
        found = attach(*arguments)
        happens(training.id)
        return found

    desk.models.attach = attach_meanwhile
    return desk.parts.trainings.training_run(training.id)


def test_a_training_that_is_cancelled_while_its_model_is_kept_promotes_nothing(desk):
    good = trains(desk)

    ran = while_a_model_is_kept(desk, desk.parts.trainings.training_cancel)

    assert (ran.status, ran.promoted, ran.reason) == ("cancelled", False, "cancelled by staff")
    assert desk.serving.get("main").model == good.id
    assert kept(desk) == {good.id}


def test_a_training_whose_worker_was_taken_for_lost_while_it_kept_its_model_promotes_nothing(desk):
    good = trains(desk)

    def sweep(_):
        desk.now += timedelta(minutes=11)
        desk.parts.trainings.training_sweep()

    ran = while_a_model_is_kept(desk, sweep)

    assert (ran.status, ran.promoted, ran.reason) == ("failed", False, "the worker went away")
    assert desk.serving.get("main").model == good.id


def after_the_promotion(desk, happens):
    """The next training, with `happens(its id)` between its promotion and its end."""
    training = desk.parts.trainings.training_request(requested_by="ann")
    update = desk.serving.update

    def update_and_then(*arguments, **more):
        found = update(*arguments, **more)
        if found.model == training.id:
            desk.serving.update = update
            happens(training.id)
        return found

    desk.serving.update = update_and_then
    return desk.parts.trainings.training_run(training.id)


def test_a_cancel_after_the_promotion_is_told_that_it_came_too_late(desk):
    told = []

    def cancel(training_id):
        with pytest.raises(ValueError, match="its model serves already") as error:
            desk.parts.trainings.training_cancel(training_id)
        told.append(error)

    ran = after_the_promotion(desk, cancel)

    assert (ran.status, ran.promoted, len(told)) == ("done", True, 1)
    assert desk.serving.get("main").model == ran.id


def test_a_worker_that_is_lost_after_the_promotion_leaves_a_training_that_is_done(desk):
    class Killed(BaseException):
        pass

    def kill(_):
        raise Killed

    with pytest.raises(Killed):
        after_the_promotion(desk, kill)
    desk.now += timedelta(minutes=11)
    desk.parts.trainings.training_sweep()

    (training,) = desk.trainings.find("by_time", limit=9).items
    assert (training.status, training.promoted) == ("done", True)
    assert training.reason == "promoted; then the worker went away"
    assert desk.serving.get("main").model == training.id
