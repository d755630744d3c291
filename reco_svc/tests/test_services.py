"""Training and serving, on in-memory repositories and the real engine."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reco.domain import Because
from reco.model_codec import pack, unpack
from tests.world import World, event


@pytest.fixture
def world():
    world = World()
    for number in range(6):
        world.history.visit(f"s{number}", "tent", "torch")
    world.history.visit("other", "sofa", "lamp")
    world.sells("tent", "torch", "sofa", "lamp")
    return world


def shown(answer):
    return [one.product_id for one in answer.results]


def test_a_training_ends_with_a_served_model_and_its_quality(world):
    training = world.trains()

    assert (training.status, training.promoted, training.reason) == ("done", True, "the first model")
    assert (training.events, training.products) == (14, 4)
    assert world.serving.get("main").model == training.id


def test_an_open_training_is_returned_for_a_new_request(world):
    first = world.parts.trainings.training_request(requested_by="ann")

    second = world.parts.trainings.training_request(requested_by="bob")

    assert second.id == first.id
    assert world.sent == [first.id]


def test_a_training_without_events_fails_and_the_model_stays(world):
    good = world.trains()
    world.history.events.clear()

    bad = world.trains()

    assert (bad.status, bad.reason) == ("failed", "ValueError: no events to learn from")
    assert world.serving.get("main").model == good.id


def test_running_a_finished_training_again_changes_nothing(world):
    training = world.trains()

    again = world.parts.trainings.training_run(training.id)

    assert again == training


def test_a_waiting_training_is_sent_again_and_a_lost_one_fails(world):
    trainings = world.parts.trainings
    training = trainings.training_request(requested_by="ann")
    world.now += timedelta(seconds=11)

    assert trainings.training_sweep() == 1
    assert world.sent == [training.id, training.id]

    world.trainings.update(training.id, lambda t: t.start(world.now))
    world.now += timedelta(minutes=11)

    assert trainings.training_sweep() == 1
    assert world.trainings.get(training.id).reason == "the worker was lost"


def test_only_three_models_are_stored_and_an_older_one_can_be_restored(world):
    ids = [world.trains().id for _ in range(4)]

    world.parts.trainings.model_roll_back(ids[1])

    assert [model.id for model in world.models.get_many(ids)] == ids[1:]
    assert world.serving.get("main").model == ids[1]


def test_similar_lists_products_viewed_together_with_a_reason(world):
    training = world.trains()
    world.parts.serving_state.refresh()

    answer = world.parts.recommendations.similar("tent", limit=5)

    assert shown(answer)[0] == "torch"
    assert answer.results[0].reason == "often looked at with Tent"
    assert (answer.algorithm, answer.version) == ("surprise-knn-sparse", training.id)


def test_sold_out_and_deleted_products_are_not_shown(world):
    world.trains()
    world.parts.product_projection.availability_changed(
        event("availability.changed", {"sku": "torch-1", "product_id": "torch", "availability": "out"})
    )
    world.parts.serving_state.refresh()

    answer = world.parts.recommendations.similar("tent", limit=5)

    assert "torch" not in shown(answer)
    assert answer.algorithm == "popularity"


def test_a_repeated_event_takes_effect_once(world):
    data = {"sku": "torch-1", "product_id": "torch", "availability": "low"}
    low = event("availability.changed", data, seq=2)

    assert world.parts.product_projection.availability_changed(low) == "done"
    assert world.parts.product_projection.availability_changed(low) == "duplicate"


def test_a_new_product_without_neighbours_shows_its_category(world):
    world.trains()
    world.sells("stove", "tarp")
    world.sells("vase", category="home")
    world.parts.serving_state.refresh()

    answer = world.parts.recommendations.similar("stove", limit=10)

    assert shown(answer)[:2] == ["tent", "torch"]
    assert "vase" not in shown(answer)


def test_a_personal_list_follows_the_history_with_reasons(world):
    world.history.visit("mine", "tent", user="ann", ago=0.1)
    world.trains()
    world.parts.serving_state.refresh()

    answer = world.parts.recommendations.for_you(["user:ann"], limit=5)

    assert shown(answer)[0] == "torch"
    assert answer.results[0].reason == "because you viewed Tent"


def test_a_short_list_is_filled_with_reasons(world):
    world.history.visit("mine", "tent", user="ann", ago=0.1)
    world.sells("tarp-tent")
    world.trains()
    world.parts.serving_state.refresh()
    ask = world.parts.recommendations

    lists = [
        ask.similar("tent", limit=3),
        ask.together(["tent"], limit=3),
        ask.for_you(["user:ann"], limit=3),
    ]

    assert [[(one.product_id, one.reason) for one in answer.results] for answer in lists] == [
        [
            ("torch", "often looked at with Tent"),
            ("tarp-tent", "like Tent"),
            ("lamp", "popular on this shelf"),
        ],
        [("torch", "goes with your basket"), ("tarp-tent", "like Tent"), ("lamp", "popular on this shelf")],
        [
            ("torch", "because you viewed Tent"),
            ("lamp", "wanted by many on a shelf you looked at"),
            ("sofa", "wanted by many on a shelf you looked at"),
        ],
    ]
    assert {answer.algorithm for answer in lists} == {"surprise-knn-sparse"}
    assert all(one.score == 0 for answer in lists for one in answer.results[1:])


def test_reasons_distinguish_bought_from_viewed(world):
    world.sells("tea", category="food")
    for number in range(6):
        world.history.visit(f"t{number}", "tea", "lamp")
    world.history.visit("mine", "tea", user="ann", type_="purchase", ago=0.1)
    world.trains()
    world.parts.serving_state.refresh()

    answer = world.parts.recommendations.for_you(["user:ann"], limit=1)

    assert (shown(answer), answer.results[0].reason) == (["lamp"], "because you bought Tea")


def test_owned_products_are_not_recommended(world):
    world.history.visit("mine", "tent", user="ann")
    world.history.visit("bought", "torch", user="ann", type_="purchase")
    world.trains()
    world.parts.serving_state.refresh()

    answer = world.parts.recommendations.for_you(["user:ann"], limit=5)

    assert "torch" not in shown(answer)


def test_unknown_visitors_get_the_trending_list(world):
    world.trains()
    world.parts.serving_state.refresh()

    answer = world.parts.recommendations.for_you(["session:new"], limit=2)

    assert answer.algorithm == "trending"
    assert shown(answer) == ["tent", "torch"]


def test_a_basket_gets_products_bought_with_it(world):
    for number in range(5):
        world.history.visit(f"b{number}", "sofa", "torch", type_="purchase")
    world.trains()
    world.parts.serving_state.refresh()

    answer = world.parts.recommendations.together(["sofa"], limit=1)

    assert shown(answer) == ["torch"]


def test_without_a_model_products_on_sale_are_listed(world):
    world.parts.serving_state.refresh()

    answer = world.parts.recommendations.trending(category=None, limit=10)

    assert sorted(shown(answer)) == ["lamp", "sofa", "tent", "torch"]


def test_a_category_includes_its_subcategories(world):
    data = {"product_id": "tent", "title": "Tent", "category": "tents", "categories": ["outdoor", "tents"]}
    changed = {**data, "status": "active", "skus": {"tent-1": "in_stock"}}
    world.parts.product_projection.product_changed(event("product.changed", changed, 9))
    world.parts.serving_state.refresh()

    found = {
        product_projection: shown(world.parts.recommendations.trending(category=product_projection, limit=10))
        for product_projection in ("outdoor", "tents", "nowhere")
    }

    assert found == {"outdoor": ["tent"], "tents": ["tent"], "nowhere": []}


def damage(world, training):
    broken = world.models.get(training.id)
    whole = world.models.attachment(training.id, broken.file)
    world.models.attach(broken, broken.file, whole[:-100], "application/octet-stream")


@pytest.mark.parametrize("serves_already", [True, False], ids=["serves already", "starts"])
def test_a_truncated_model_file_keeps_the_previous_model_serving(world, serves_already):
    good = world.trains()
    if serves_already:
        world.parts.serving_state.refresh()
    world.history.visit("more", "sofa", "tent")
    bad = world.trains()
    damage(world, bad)

    world.parts.serving_state.refresh()

    assert world.parts.serving_state.version == good.id
    assert shown(world.parts.recommendations.similar("tent", limit=1)) == ["torch"]
    assert "the model's file is damaged" in world.parts.serving_state.problem


def test_a_missing_model_document_is_reported_and_serving_continues(world):
    good = world.trains()
    world.parts.serving_state.refresh()
    world.history.visit("more", "sofa", "tent")
    gone = world.trains()
    world.models.delete(world.models.get(gone.id))
    world.parts.erasure.people_forget(["session:more"])

    world.parts.serving_state.refresh()

    assert world.parts.serving_state.version == good.id
    assert "is not there" in world.parts.serving_state.problem
    assert (
        "session:more" in world.parts.serving_state.forgotten
    )  # the rest of the news is taken in all the same


def test_staff_may_serve_a_refused_model(world):
    world.trains()
    training = world.trains()
    world.serving.update("main", lambda serving: setattr(serving, "previous", []))
    refused, good = training.id, world.serving.get("main").model
    world.serving.update("main", lambda serving: setattr(serving, "model", "t1"))

    world.parts.trainings.model_roll_back(refused)

    assert (good, world.serving.get("main").model) == (refused, refused)
    with pytest.raises(ValueError, match="serves already"):
        world.parts.trainings.model_roll_back(refused)


def test_lists_survive_packing(world):
    training = world.trains()
    lists = world.parts.trainings.lists(training.id)

    assert unpack(pack(lists)) == lists


def test_a_recommendation_names_its_cause_for_programs_and_for_people(world):
    world.trains()
    world.parts.serving_state.refresh()
    lists = world.parts.recommendations

    first = lists.similar("tent", limit=1).results[0]
    basket = lists.together(["tent"], limit=1).results[0]
    trending = lists.trending(category=None, limit=1).results[0]

    assert (first.because, first.reason) == (
        Because("viewed_with", "tent", "Tent"),
        "often looked at with Tent",
    )
    assert (basket.because, basket.reason) == (Because("basket"), "goes with your basket")
    assert trending.because == Because("trending")
