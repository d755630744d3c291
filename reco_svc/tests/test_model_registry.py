"""The model registry: which models stay, and whether a cancel or a promotion wins.

In memory and on a CouchDB server.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from chassis.couch import MemoryRepository, NotFound, couch_repository, ensure
from chassis.testing.couch import couch_server, fresh_databases
from reco import repositories
from reco.domain import Model
from tests.world import NOW, World


@pytest.fixture(scope="module")
def server():
    with couch_server() as running:
        yield running


@pytest.fixture(params=["memory", pytest.param("couch", marks=pytest.mark.integration)])
def world(request):
    if request.param == "memory":
        yield shop(World(MemoryRepository))
        return
    request.getfixturevalue("server")
    with fresh_databases():
        ensure(repositories.COLLECTIONS)
        yield shop(World(couch_repository))


def shop(world):
    for number in range(6):
        world.history.visit(f"s{number}", "tent", "torch")
    return world


def trains(world):
    world.now += timedelta(hours=1)
    return world.trains()


def loses_months(world):
    """Remove all visits to tents from the history, so that new models are refused."""
    world.history.events.clear()
    for number in range(400):
        world.history.visit(f"n{number}", f"a{number}", f"b{number}", ago=-1 - number / 1000)
    for number in range(44):
        world.history.visit(f"t{number}", "tent", "torch", ago=-2 - number / 1000)
    world.now += timedelta(days=3)


def kept(world):
    return {model.id for model in world.models.find("by_time", limit=100).items}


def left_by_a_killed_training(world, number, *, open):
    training = world.parts.trainings.training_request(requested_by="ann")
    world.trainings.update(training.id, lambda one: one.start(world.now))
    model = world.models.add(Model(id=training.id, algorithm="x", trained_at=NOW + timedelta(days=number)))
    world.models.attach(model, f"{number}.lists", b"lists", "application/octet-stream")
    if not open:
        world.trainings.update(training.id, lambda one: one.fail(world.now, "the worker was lost"))
    return model.id


def test_the_newest_two_refused_models_are_stored(world):
    served = [trains(world).id for _ in range(2)]
    loses_months(world)
    refused = [trains(world) for _ in range(4)]

    assert [one.promoted for one in refused] == [False] * 4
    assert kept(world) == {*served, *(one.id for one in refused[2:])}
    with pytest.raises(NotFound):
        world.models.attachment(refused[0].id, "whatever it was called")


def test_models_before_the_last_three_are_deleted_with_their_files(world):
    ids = [trains(world).id for _ in range(2)]
    file = world.models.get(ids[0]).file
    held = world.models.attachment(ids[0], file)
    ids += [trains(world).id for _ in range(2)]

    assert kept(world) == set(ids[1:])
    assert held
    with pytest.raises(NotFound):
        world.models.attachment(ids[0], file)


def test_models_of_killed_trainings_are_deleted(world):
    good = trains(world).id
    killed = left_by_a_killed_training(world, 1, open=False)
    running = left_by_a_killed_training(world, 2, open=True)
    world.models.add(Model(id="of-no-training", algorithm="x", trained_at=NOW))

    swept = world.parts.trainings.model_sweep()

    assert (swept, kept(world)) == (2, {good, running})
    with pytest.raises(NotFound):
        world.models.attachment(killed, "1.lists")


def test_a_sweep_before_the_first_model_finds_nothing(world):
    assert world.parts.trainings.model_sweep() == 0


def while_a_model_is_kept(world, happens):
    """Run a training, with `happens(its id)` between its last check and its promotion."""
    training = world.parts.trainings.training_request(requested_by="ann")
    attach = world.models.attach

    def attach_meanwhile(*arguments):
        found = attach(*arguments)
        happens(training.id)
        return found

    world.models.attach = attach_meanwhile
    return world.parts.trainings.training_run(training.id)


def test_a_training_cancelled_while_storing_its_model_promotes_nothing(world):
    good = trains(world)

    ran = while_a_model_is_kept(world, world.parts.trainings.training_cancel)

    assert (ran.status, ran.promoted, ran.reason) == ("cancelled", False, "cancelled by staff")
    assert world.serving.get("main").model == good.id
    assert kept(world) == {good.id}


def test_a_training_lost_while_storing_its_model_promotes_nothing(world):
    good = trains(world)

    def delete_unused(_):
        world.now += timedelta(minutes=11)
        world.parts.trainings.training_sweep()

    ran = while_a_model_is_kept(world, delete_unused)

    assert (ran.status, ran.promoted, ran.reason) == ("failed", False, "the worker was lost")
    assert world.serving.get("main").model == good.id


def after_the_promotion(world, happens):
    """Run a training, with `happens(its id)` between its promotion and its end."""
    training = world.parts.trainings.training_request(requested_by="ann")
    update = world.serving.update

    def update_and_then(*arguments, **more):
        found = update(*arguments, **more)
        if found.model == training.id:
            world.serving.update = update
            happens(training.id)
        return found

    world.serving.update = update_and_then
    return world.parts.trainings.training_run(training.id)


def test_a_cancel_after_the_promotion_is_refused(world):
    errors = []

    def cancel(training_id):
        with pytest.raises(ValueError, match="its model serves already") as error:
            world.parts.trainings.training_cancel(training_id)
        errors.append(error)

    ran = after_the_promotion(world, cancel)

    assert (ran.status, ran.promoted, len(errors)) == ("done", True, 1)
    assert world.serving.get("main").model == ran.id


def test_a_training_lost_after_its_promotion_is_done(world):
    class Killed(BaseException):
        pass

    def kill(_):
        raise Killed

    with pytest.raises(Killed):
        after_the_promotion(world, kill)
    world.now += timedelta(minutes=11)
    world.parts.trainings.training_sweep()

    (training,) = world.trainings.find("by_time", limit=9).items
    assert (training.status, training.promoted) == ("done", True)
    assert training.reason == "promoted; then the worker was lost"
    assert world.serving.get("main").model == training.id
