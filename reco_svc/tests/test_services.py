"""Training and serving, on in-memory repositories and the real engine."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reco.packing import pack, unpack
from tests.parts import Desk, fact


@pytest.fixture
def desk():
    desk = Desk()
    for number in range(6):
        desk.history.visit(f"s{number}", "tent", "torch")
    desk.history.visit("other", "sofa", "lamp")
    desk.sells("tent", "torch", "sofa", "lamp")
    return desk


def shown(answer):
    return [one.product_id for one in answer.results]


def test_a_training_ends_with_a_served_model_and_its_quality(desk):
    training = desk.trains()

    assert (training.status, training.promoted, training.reason) == ("done", True, "the first model")
    assert (training.events, training.products) == (14, 4)
    assert desk.serving.get("main").model == training.id


def test_while_one_training_is_open_the_same_one_is_answered(desk):
    first = desk.parts.trainings.training_request(requested_by="ann")

    second = desk.parts.trainings.training_request(requested_by="bob")

    assert second.id == first.id
    assert desk.sent == [first.id]


def test_a_training_without_events_fails_and_says_so_and_the_old_model_stays(desk):
    good = desk.trains()
    desk.history.events.clear()

    bad = desk.trains()

    assert (bad.status, bad.reason) == ("failed", "ValueError: no events to learn from")
    assert desk.serving.get("main").model == good.id


def test_running_a_finished_training_again_changes_nothing(desk):
    training = desk.trains()

    again = desk.parts.trainings.training_run(training.id)

    assert again == training


def test_a_waiting_training_is_sent_again_and_a_lost_one_fails(desk):
    trainings = desk.parts.trainings
    training = trainings.training_request(requested_by="ann")
    desk.now += timedelta(seconds=11)

    assert trainings.training_sweep() == 1
    assert desk.sent == [training.id, training.id]

    desk.trainings.update(training.id, lambda t: t.start(desk.now))
    desk.now += timedelta(minutes=11)

    assert trainings.training_sweep() == 1
    assert desk.trainings.get(training.id).reason == "the worker went away"


def test_only_three_models_are_kept_and_an_older_one_can_be_put_back(desk):
    ids = [desk.trains().id for _ in range(4)]

    desk.parts.trainings.model_put_back(ids[1])

    assert [model.id for model in desk.models.get_many(ids)] == ids[1:]
    assert desk.serving.get("main").model == ids[1]


def test_similar_shows_what_was_looked_at_together_with_a_reason(desk):
    training = desk.trains()
    desk.parts.book.refresh()

    answer = desk.parts.recommendations.similar("tent", limit=5)

    assert shown(answer)[0] == "torch"
    assert answer.results[0].reason == "often looked at with Tent"
    assert (answer.algorithm, answer.version) == ("surprise-knn-sparse", training.id)


def test_what_is_sold_out_or_deleted_is_not_shown(desk):
    desk.trains()
    desk.parts.shelf.availability_changed(
        fact("availability.changed", {"sku": "torch-1", "product_id": "torch", "availability": "out"})
    )
    desk.parts.book.refresh()

    answer = desk.parts.recommendations.similar("tent", limit=5)

    assert "torch" not in shown(answer)
    assert answer.algorithm == "popularity"


def test_a_fact_heard_twice_takes_effect_once(desk):
    data = {"sku": "torch-1", "product_id": "torch", "availability": "low"}
    low = fact("availability.changed", data, seq=2)

    assert desk.parts.shelf.availability_changed(low) == "done"
    assert desk.parts.shelf.availability_changed(low) == "duplicate"


def test_a_new_product_without_neighbours_shows_its_own_shelf(desk):
    desk.trains()
    desk.sells("stove", "tarp")
    desk.sells("vase", category="home")
    desk.parts.book.refresh()

    answer = desk.parts.recommendations.similar("stove", limit=10)

    assert shown(answer)[:2] == ["tent", "torch"]
    assert "vase" not in shown(answer)


def test_a_personal_list_follows_the_history_and_says_because_of_what(desk):
    desk.history.visit("mine", "tent", user="ann", ago=0.1)
    desk.trains()
    desk.parts.book.refresh()

    answer = desk.parts.recommendations.for_you(["user:ann"], limit=5)

    assert shown(answer)[0] == "torch"
    assert answer.results[0].reason == "because you viewed Tent"


def test_a_list_that_is_not_full_is_filled_and_each_item_says_why_it_is_there(desk):
    desk.history.visit("mine", "tent", user="ann", ago=0.1)
    desk.sells("tarp-tent")
    desk.trains()
    desk.parts.book.refresh()
    ask = desk.parts.recommendations

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


def test_what_was_bought_before_the_training_is_said_to_be_bought(desk):
    desk.sells("tea", category="food")
    for number in range(6):
        desk.history.visit(f"t{number}", "tea", "lamp")
    desk.history.visit("mine", "tea", user="ann", type_="purchase", ago=0.1)
    desk.trains()
    desk.parts.book.refresh()

    answer = desk.parts.recommendations.for_you(["user:ann"], limit=1)

    assert (shown(answer), answer.results[0].reason) == (["lamp"], "because you bought Tea")


def test_what_somebody_owns_is_not_shown_to_them_again(desk):
    desk.history.visit("mine", "tent", user="ann")
    desk.history.visit("bought", "torch", user="ann", type_="purchase")
    desk.trains()
    desk.parts.book.refresh()

    answer = desk.parts.recommendations.for_you(["user:ann"], limit=5)

    assert "torch" not in shown(answer)


def test_a_stranger_gets_what_is_trending_and_is_told_so(desk):
    desk.trains()
    desk.parts.book.refresh()

    answer = desk.parts.recommendations.for_you(["session:new"], limit=2)

    assert answer.algorithm == "trending"
    assert shown(answer) == ["tent", "torch"]


def test_a_basket_gets_what_was_bought_with_it(desk):
    for number in range(5):
        desk.history.visit(f"b{number}", "sofa", "torch", type_="purchase")
    desk.trains()
    desk.parts.book.refresh()

    answer = desk.parts.recommendations.together(["sofa"], limit=1)

    assert shown(answer) == ["torch"]


def test_without_any_model_a_shelf_still_shows_what_is_for_sale(desk):
    desk.parts.book.refresh()

    answer = desk.parts.recommendations.trending(category=None, limit=10)

    assert sorted(shown(answer)) == ["lamp", "sofa", "tent", "torch"]


def test_a_shelf_holds_what_is_on_the_shelves_below_it(desk):
    data = {"product_id": "tent", "title": "Tent", "category": "tents", "categories": ["outdoor", "tents"]}
    changed = {**data, "status": "active", "skus": {"tent-1": "in_stock"}}
    desk.parts.shelf.product_changed(fact("product.changed", changed, 9))
    desk.parts.book.refresh()

    found = {
        shelf: shown(desk.parts.recommendations.trending(category=shelf, limit=10))
        for shelf in ("outdoor", "tents", "nowhere")
    }

    assert found == {"outdoor": ["tent"], "tents": ["tent"], "nowhere": []}


def damage(desk, training):
    broken = desk.models.get(training.id)
    whole = desk.models.attachment(training.id, broken.file)
    desk.models.attach(broken, broken.file, whole[:-100], "application/octet-stream")


@pytest.mark.parametrize("serves_already", [True, False], ids=["serves already", "starts"])
def test_a_model_file_cut_short_leaves_the_one_before_in_service(desk, serves_already):
    good = desk.trains()
    if serves_already:
        desk.parts.book.refresh()
    desk.history.visit("more", "sofa", "tent")
    bad = desk.trains()
    damage(desk, bad)

    desk.parts.book.refresh()

    assert desk.parts.book.version == good.id
    assert shown(desk.parts.recommendations.similar("tent", limit=1)) == ["torch"]
    assert "the model's file is damaged" in desk.parts.book.problem


def test_a_model_whose_document_is_gone_is_told_and_what_serves_goes_on(desk):
    good = desk.trains()
    desk.parts.book.refresh()
    desk.history.visit("more", "sofa", "tent")
    gone = desk.trains()
    desk.models.delete(desk.models.get(gone.id))
    desk.parts.forgetting.people_forget(["session:more"])

    desk.parts.book.refresh()

    assert desk.parts.book.version == good.id
    assert "is not there" in desk.parts.book.problem
    assert "session:more" in desk.parts.book.forgotten  # the rest of the news is taken in all the same


def test_a_refused_model_serves_where_a_person_wants_it(desk):
    desk.trains()
    training = desk.trains()
    desk.serving.update("main", lambda serving: setattr(serving, "previous", []))
    refused, good = training.id, desk.serving.get("main").model
    desk.serving.update("main", lambda serving: setattr(serving, "model", "t1"))

    desk.parts.trainings.model_put_back(refused)

    assert (good, desk.serving.get("main").model) == (refused, refused)
    with pytest.raises(ValueError, match="serves already"):
        desk.parts.trainings.model_put_back(refused)


def test_lists_survive_packing(desk):
    training = desk.trains()
    lists = desk.parts.trainings.lists(training.id)

    assert unpack(pack(lists)) == lists
