"""The domain rules of reco_svc: filtering of lists, and the lifecycle of a training."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reco.domain import (
    Comparison,
    Interaction,
    Product,
    Quality,
    Serving,
    Training,
    TrainingAbandoned,
    explanations,
    filter_visible,
    histories,
    may_promote,
    merge_weighted,
)

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def test_a_product_is_for_sale_while_any_variant_is_there():
    product = Product(id="p", availability={"small": "out", "large": "low"})

    assert product.for_sale
    product.set_availability("large", "out")
    assert not product.for_sale


def test_a_hidden_or_deleted_product_is_not_for_sale():
    product = Product(id="p", availability={"sku": "in_stock"})

    product.withdraw()

    assert not product.for_sale


def test_an_older_event_of_the_same_subject_is_ignored():
    product = Product(id="p")

    assert product.accept("product", 2)
    assert not product.accept("product", 1)
    assert not product.accept("product", 2)
    assert product.accept("sku:a", 1)


def test_a_product_event_does_not_overwrite_stock_events():
    product = Product(id="p")
    product.accept("sku:a", 1)
    product.set_availability("a", "out")

    product.describe({"title": "Tent", "skus": {"a": "in_stock", "b": "in_stock"}})

    assert product.availability == {"a": "out", "b": "in_stock"}


def test_a_training_goes_from_queued_to_running_to_done():
    training = Training(id="t", requested_at=NOW)

    training.start(NOW)
    training.finish(NOW + timedelta(seconds=3), model="t", promoted=True, reason="the first model")

    assert (training.status, training.seconds, training.promoted) == ("done", 3.0, True)


def test_a_finished_training_cannot_be_started_again():
    training = Training(id="t", requested_at=NOW)
    training.fail(NOW, "no events")

    with pytest.raises(ValueError, match="failed"):
        training.start(NOW)


def test_three_models_are_stored_and_an_older_one_can_be_restored():
    serving = Serving()
    for name in ("m1", "m2", "m3", "m4"):
        serving.training = name
        serving.promote(name, of=name)

    serving.roll_back("m2")

    assert (serving.model, serving.previous) == ("m2", ["m4", "m3"])
    assert serving.kept == {"m2", "m3", "m4"}


def test_a_training_without_its_slot_promotes_nothing():
    serving = Serving(model="m1", training="m2")

    serving.release_slot("m2")

    with pytest.raises(TrainingAbandoned):
        serving.promote("m2", of="m2")
    assert (serving.model, serving.previous, serving.training) == ("m1", [], None)


def test_the_slot_of_another_training_is_not_released():
    serving = Serving(training="m2")

    serving.release_slot("m1")

    assert serving.training == "m2"


def test_the_training_of_the_serving_model_is_not_released():
    with pytest.raises(ValueError, match="serves already"):
        Serving(model="m1", training="m1").release_slot("m1")


def test_a_worse_model_is_refused_with_the_reason():
    mine, serving = Quality(ndcg_at_10=0.1, visits=50), Quality(ndcg_at_10=0.2, visits=50)

    assert may_promote(Comparison(mine, serving, difference=-0.1, error=0.04)) == (
        False,
        "NDCG@10 0.1000, worse than the serving 0.2000",
    )


def test_a_model_worse_within_chance_is_promoted():
    mine, serving = Quality(ndcg_at_10=0.19, visits=50), Quality(ndcg_at_10=0.2, visits=50)

    compared = Comparison(mine, serving, difference=-0.01, error=0.04)

    assert may_promote(compared) == (True, "not worse than the serving one")


@pytest.mark.parametrize("visits", [0, 100])
@pytest.mark.parametrize("kind", ["similar", "together", "personal"])
def test_a_model_with_half_the_lists_is_refused(visits, kind):
    quality = Quality(ndcg_at_10=0.2, visits=visits)
    before = {"similar": 1000, "together": 500, "personal": 1000}

    compared = Comparison(
        quality, quality, candidate_lists=before | {kind: 200}, serving_lists=before
    )  # fmt: skip

    assert may_promote(compared) == (
        False,
        f"lists of {kind} for 200 products, the serving model has them for {before[kind]:,}",
    )


def test_without_a_comparison_the_reason_names_the_cause():
    assert may_promote(None) == (True, "the first model")
    assert may_promote(None, serves=True) == (True, "the serving model cannot be read")


def test_with_few_fresh_visits_the_newer_model_is_promoted():
    compared = Comparison(Quality(ndcg_at_10=0.1, visits=9), Quality(ndcg_at_10=0.2, visits=9))

    assert may_promote(compared) == (True, "too few fresh visits to compare (9)")


LISTS = [(1.0, [("a", 0.5), ("none", 0.0)]), (0.5, [("a", 0.2), ("b", 2.0), ("c", 1.2)])]


def test_weighted_lists_are_merged_by_score_and_name():
    assert list(merge_weighted(LISTS)) == [("b", 1.0), ("a", 0.6), ("c", 0.6), ("none", 0.0)]


def test_explanations_name_the_list_that_contributed_most():
    assert explanations(LISTS, ["a", "b", "none", "unknown"]) == {"a": 0, "b": 1}


def test_hidden_products_are_filtered():
    scored = [("gone", 3.0), ("self", 2.0), ("fine", 1.0), ("fine", 0.9)]

    assert filter_visible(scored, lambda p: p != "gone", {"self"}, 5) == [("fine", 1.0)]


def test_histories_are_newest_first_by_person_and_by_visit():
    events = [
        Interaction("view", "a", NOW - timedelta(hours=2), "ann", "s1"),
        Interaction("purchase", "b", NOW - timedelta(hours=1), "ann", "s1"),
    ]

    seen, owned = histories(events)

    assert seen == {"user:ann": ["b", "a"], "session:s1": ["b", "a"]}
    assert owned == {"user:ann": ["b"], "session:s1": ["b"]}
