"""Documents of reco_svc on the real CouchDB-protocol server."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chassis.couch import couch_repository, ensure
from chassis.testing.couch import couch_server
from reco import repositories
from tests.world import World

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def couch():
    with couch_server() as running:
        ensure(repositories.COLLECTIONS)
        yield running


def test_a_model_is_stored_with_its_file_and_served_from_it(couch):
    world = World(couch_repository)
    for number in range(3):
        world.history.visit(f"s{number}", "tent", "torch")
    world.sells("tent", "torch")

    training = world.trains()
    world.parts.serving_state.refresh()

    answer = world.parts.recommendations.similar("tent", limit=1)
    assert (training.status, training.promoted) == ("done", True)
    assert [one.product_id for one in answer.results] == ["torch"]
    assert answer.version == training.id


def test_trainings_are_listed_the_newest_first(couch):
    world = World(couch_repository)
    world.history.visit("s", "tent", "torch")
    world._ids = iter(("later-1", "later-2"))

    for _ in range(2):
        world.now += timedelta(hours=1)
        world.trains()

    listed = world.parts.trainings.training_list(limit=2, cursor=None).items
    assert [training.id for training in listed] == ["later-2", "later-1"]
