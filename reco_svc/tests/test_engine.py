"""The training engine learns which products go together."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reco.domain import Interaction, Lists, ServedModel
from reco.engine.interactions import MAX_HISTORY, Hyperparameters, InteractionArrays
from reco.engine.knn import SparseKNN
from reco.engine.quality import compare
from reco.engine.trainer import HyperparameterSet, train
from reco.engine.trainset import trainset

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def visit(session, *products, type_="view", ago=1.0, user=None):
    at = NOW - timedelta(days=ago)
    return [Interaction(type_, product, at, user, session) for product in products]


def test_products_of_the_same_visits_become_neighbours():
    interactions = [one for n in range(5) for one in visit(f"s{n}", "tent", "torch")]
    interactions += visit("other", "tent", "sofa") + visit("home", "sofa", "lamp")

    lists = train(interactions, now=NOW).lists

    assert [product for product, _ in lists.similar["tent"]] == ["torch", "sofa"]


def test_bought_pairs_rank_above_viewed_pairs():
    looked = [one for n in range(6) for one in visit(f"l{n}", "tea", "cup")]
    bought = [
        one
        for n in range(6)
        for one in visit(f"b{n}", "tea", "honey") + visit(f"b{n}", "tea", "honey", type_="purchase")
    ]

    lists = train(looked + bought, now=NOW).lists

    assert lists.similar["tea"][0][0] == "honey"
    assert [product for product, _ in lists.together["tea"]] == ["honey"]


def test_similarities_are_the_stated_formula():
    ratings = {("u1", "a"): 2.0, ("u1", "b"): 1.0, ("u2", "a"): 1.0, ("u2", "b"): 3.0, ("u2", "c"): 1.0}
    dense = np.array([[2.0, 1.0, 0.0], [1.0, 3.0, 1.0]])
    counts, norms = dense.T @ dense, (dense**2).sum(axis=0)

    similar = SparseKNN(shrink=5.0, asymmetry=0.4).fit(trainset(ratings)).sim

    for i in range(3):
        for j in range(3):
            wanted = 0.0 if i == j else counts[i, j] / (norms[i] ** 0.4 * norms[j] ** 0.6 + 5.0)
            assert abs(similar[i, j] - wanted) < 1e-6


def test_surprises_own_predict_and_get_neighbors_still_work():
    known = trainset(
        {("u1", "a"): 1.0, ("u1", "b"): 1.0, ("u2", "a"): 1.0, ("u2", "b"): 1.0, ("u2", "c"): 1.0}
    )

    model = SparseKNN(shrink=0.0).fit(known)

    assert model.get_neighbors(known.to_inner_iid("a"), k=1) == [known.to_inner_iid("b")]
    assert model.predict("u1", "c").est > 0


def test_interest_halves_every_week_and_purchases_weigh_more():
    events = visit("s1", "old", ago=7) + visit("s2", "new", ago=0)
    events += visit("s3", "bought", ago=0, type_="purchase")

    assert train(events, now=NOW).lists.trending == [("bought", 5.0), ("new", 1.0), ("old", 0.5)]


def test_one_person_does_not_make_a_trend():
    bot = visit("bot", "junk", ago=0) * 100_000

    lists = train(bot + visit("s1", "tent", ago=0) + visit("s2", "tent", ago=0), now=NOW).lists

    assert lists.trending == [("tent", 2.0), ("junk", 1.0)]


def test_hyperparameters_are_read_back_from_a_report():
    hyperparameters = HyperparameterSet(
        Hyperparameters(kinds=(("session", 1.0), ("user", 0.25)), shrink=5.0, half_life=3.0, keep=50),
        Hyperparameters(kinds=(("session", 1.0), ("user", 0.5)), prior=0.25),
        Hyperparameters(kinds=(("user", 1.0), ("session", 0.0)), history_half_life=2.0, second=0.5),
    )

    assert HyperparameterSet.of(hyperparameters.to_parameters()) == hyperparameters


def test_only_the_best_neighbours_are_kept():
    ratings = {(f"u{n}", product): 1.0 for n in range(3) for product in "abcdefgh"}

    similar = SparseKNN(keep=3).fit(trainset(ratings)).sim

    assert all(len(similar.nearest(item)) <= 3 for item in range(8))


def test_a_bot_with_thousands_of_products_is_ignored():
    bot = visit("bot", *[f"p{n}" for n in range(MAX_HISTORY["user"] + 1)])

    lists = train(bot + visit("s", "tent", "torch"), now=NOW).lists

    assert set(lists.similar) == {"tent", "torch"}


def test_minimal_input_gives_empty_lists():
    assert train([], now=NOW).lists == Lists()
    assert train(visit("s", "tent"), now=NOW).lists.similar == {}


def test_quality_is_measured_on_unseen_visits():
    old = [one for n in range(40) for one in visit(f"s{n}", "tent", "torch", ago=9.0)]
    new = [one for n in range(10) for one in visit(f"n{n}", "tent", "torch", ago=0.5 + n / 100)]

    trained = train(old + new, now=NOW)

    assert trained.quality.ndcg_at_10 == 1.0
    assert trained.quality.visits == 5


def test_the_serving_model_is_compared_on_unseen_visits():
    old = [one for n in range(40) for one in visit(f"s{n}", "tent", "torch", ago=9.0)]
    new = [one for n in range(10) for one in visit(f"n{n}", "tent", "torch", ago=0.5 + n / 100)]
    blind = ServedModel(Lists(), NOW - timedelta(days=2))
    knowing = ServedModel(Lists(), NOW)

    fresh = train(old + new, now=NOW, serving=blind).compared
    none = train(old + new, now=NOW, serving=knowing).compared

    assert (fresh.candidate.ndcg_at_10, fresh.serving.ndcg_at_10, fresh.candidate.visits) == (1.0, 0.0, 5)
    assert none.candidate.visits == 0


def test_the_compared_model_is_fitted_without_the_fresh_visits():
    old = [one for n in range(90) for one in visit(f"s{n}", "tent", "torch", ago=9.0)]
    turned = [one for n in range(5) for one in visit(f"m{n}", "tent", "sofa", ago=2.5)]
    new = [one for n in range(5) for one in visit(f"n{n}", "tent", "sofa", ago=0.5)]

    trained = train(old + turned + new, now=NOW, serving=ServedModel(Lists(), NOW - timedelta(days=1)))

    # The newest tenth, which measures, has the only visits with a sofa; half of them are fresh.
    assert (trained.quality.visits, trained.quality.ndcg_at_10) == (10, 0.0)
    assert trained.compared.candidate.visits == 5
    assert trained.compared.candidate.ndcg_at_10 > 0.6
    assert trained.compared.candidate_lists == {"similar": 3, "together": 0, "personal": 3}
    assert trained.compared.serving_lists == {"similar": 0, "together": 0, "personal": 0}


def test_the_difference_of_two_models_has_a_standard_error():
    visits = [one for n in range(8) for one in visit(f"s{n}", "tent", "torch", ago=1.0)]
    visits += [one for n in range(8) for one in visit(f"t{n}", "tent", "sofa", ago=1.0)]
    ours, theirs = {"tent": [("torch", 1.0)]}, {"sofa": [("tent", 1.0)]}

    found = compare(ours, theirs, visits, {"tent", "torch", "sofa"})

    assert (found.candidate.ndcg_at_10, found.serving.ndcg_at_10, found.difference) == (0.5, 0.5, 0.0)
    assert found.error == pytest.approx(math.sqrt(16 / 15) / 4, abs=1e-6)


def test_every_fit_of_the_tuning_reports_progress():
    events = [one for n in range(400) for one in visit(f"s{n}", "tent", f"torch{n % 3}", ago=1 + n / 100)]
    steps: list[tuple[str, float]] = []

    train(events, now=NOW, progress=lambda step, share: steps.append((step, share)))

    similar = [step for step, _ in steps if step.startswith("tuning what is similar, step")]
    assert len(similar) > 60
    assert [share for _, share in steps] == sorted(share for _, share in steps)


def test_long_histories_are_tuned_on_the_newest_owners():
    owner = np.arange(1000, dtype=np.int32) // 10
    made = InteractionArrays(
        np.zeros(1000, dtype=np.int32), np.arange(1000.0), np.ones(1000, dtype=np.float32), {"user": owner}, 1
    )

    newest = made.newest("user", 200)

    assert sorted(set(newest.owners["user"].tolist())) == list(range(80, 100))
    assert made.newest("user", 1000) is made


@settings(max_examples=30)
@given(
    st.dictionaries(
        st.tuples(st.sampled_from("uvwxyz"), st.sampled_from("abcdef")), st.floats(0.5, 5.0), min_size=1
    )
)
def test_similarities_are_positive_and_exclude_the_product_itself(ratings):
    known = trainset(ratings)

    similar = SparseKNN(shrink=5.0).fit(known).sim

    for item in range(known.n_items):
        assert item not in [other for other, _ in similar.nearest(item)]
        assert all(score > 0 for _, score in similar.nearest(item))
