"""Hyperparameters, fits and lists on arrays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse
from surprise import KNNBasic

from reco.engine import ease, hyperparameter_search, model_fit
from reco.engine.interactions import (
    DAY,
    MAX_HISTORY,
    Hyperparameters,
    InteractionArrays,
    demand,
    histories,
    matrix,
)
from reco.engine.knn import SparseKNN
from reco.engine.similarity import best_per_row, nearest
from reco.engine.trainset import SparseTrainset

PLAIN = Hyperparameters(damping=0.0)


def arrays(rows, products=None):
    """Build interactions of (user, product, day) or (user, product, day, weight)."""
    rows = [(*row, 1.0)[:4] for row in rows]
    user, product, day, weight = (
        (np.array(column) for column in zip(*rows, strict=True)) if rows else [[]] * 4
    )
    owners = {"user": np.asarray(user, dtype=np.int32)}
    time, count = np.asarray(day, dtype=float) * DAY, products or int(max(product)) + 1
    return InteractionArrays(
        np.asarray(product, dtype=np.int32), time, np.asarray(weight, dtype=np.float32), owners, count
    )


def random_matrix(rows=200, columns=60, seed=3):
    draw = np.random.default_rng(seed)
    dense = (draw.random((rows, columns)) < 0.2) * draw.integers(1, 4, (rows, columns))
    return sparse.csr_matrix(dense.astype(np.float32))


def test_blocked_neighbours_equal_those_of_the_whole_matrix():
    x = random_matrix()
    counts = (x.T @ x).toarray()
    norms = np.diag(counts).copy()
    wanted_ = counts / (norms[:, None] ** 0.3 * norms[None, :] ** 0.7 + 4.0)
    np.fill_diagonal(wanted_, 0.0)

    found = nearest(x, shrink=4.0, asymmetry=0.3, keep=7, work=500)

    assert np.diff(found.indptr).tolist() == [7] * 60
    for row in range(60):
        kept = found[row].toarray()[0]
        assert np.allclose(np.sort(kept)[-7:], np.sort(wanted_[row])[-7:], rtol=1e-5)
        assert np.allclose(kept[kept > 0], wanted_[row][kept > 0], rtol=1e-5)


def test_ties_among_neighbours_keep_the_first():
    rows = sparse.csr_matrix(
        np.array([[1, 1, 1, 1], [1, 2, 1, 1], [0, 1, 0, 0], [-1, 0, 0, 3]], dtype=np.float32)
    )

    rows.indices, rows.data = (  # as a product of sparse matrices leaves them: in no order
        np.concatenate([part[rows.indptr[n] : rows.indptr[n + 1]][::-1] for n in range(4)])
        for part in (rows.indices, rows.data)
    )
    rows.has_sorted_indices = False

    assert best_per_row(rows, 2).toarray().tolist() == [
        [1, 1, 0, 0],
        [1, 2, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 0, 3],
    ]


def test_a_stock_algorithm_runs_on_the_sparse_trainset():
    x = random_matrix(30, 8)
    known = SparseTrainset(x, [f"u{n}" for n in range(30)], [f"p{n}" for n in range(8)])

    stock = KNNBasic(sim_options={"user_based": False, "name": "cosine"}, verbose=False).fit(known)
    ours = SparseKNN().fit(known)

    assert stock.predict("u1", "p1").details["was_impossible"] is False
    assert ours.predict("nobody", "p1").details["was_impossible"] is True
    assert known.to_raw_iid(known.to_inner_iid("p3")) == "p3"
    assert sorted(ours.get_neighbors(0, k=7)) == [1, 2, 3, 4, 5, 6, 7]


def test_pairs_have_the_strongest_weight_and_the_newest_time():
    done = arrays([(0, 0, 1, 1.0), (0, 0, 3, 5.0), (0, 0, 9, 3.0), (1, 1, 2, 1.0)])
    alike = arrays([(0, 0, 1), (0, 0, 9), (1, 1, 2)])

    assert (done.pairs("user").weight.tolist(), done.pairs("user").time.tolist()) == (
        [5.0, 1.0],
        [9 * DAY, 2 * DAY],
    )
    assert np.allclose(alike.pairs("user").time, [9 * DAY, 2 * DAY])
    assert done.pairs("user").owner.tolist() == alike.pairs("user").owner.tolist() == [0, 1]


def test_older_interactions_count_less_and_future_ones_as_now():
    done = arrays([(0, 0, 0), (1, 1, 10)])

    assert np.allclose(demand(done, "user", 10.0), [0.5, 1.0])
    assert np.allclose(demand(done, "user", None), [1.0, 1.0])
    assert matrix(done, replace(PLAIN, half_life=5.0)).toarray()[0, 0] < matrix(done, PLAIN).toarray()[0, 0]


def test_long_histories_are_capped_and_bots_ignored():
    busy = [(0, product, product) for product in range(40)]
    bot = [(1, product % 3000, 0) for product in range(MAX_HISTORY["user"] + 1)]

    x = matrix(arrays(busy + bot, 3000), PLAIN, work=500)

    assert x[0].indices.tolist() == list(range(40))[-int(np.sqrt(500)) :]
    assert x[1].nnz == 0


def test_lists_equal_a_full_sort_of_unseen_products():
    draw = np.random.default_rng(5)
    done = arrays(
        [
            (int(u), int(p), 1)
            for u, p in zip(draw.integers(0, 80, 900), draw.integers(0, 300, 900), strict=True)
        ],
        300,
    )
    fitted = model_fit.fit(done, replace(PLAIN, shrink=5.0))
    asked = histories(done.pairs("user"), np.arange(80), 300, None)
    scores = (asked @ fitted.forward).toarray()
    scores[asked.nonzero()] = 0.0

    ids, values = fitted.rank(asked, asked, 5, fill=False)

    for row in range(80):
        best = np.sort(scores[row])[::-1][:5]
        assert np.allclose(values[row], best)
        assert all(
            scores[row, item] == value for item, value in zip(ids[row], values[row], strict=True) if item >= 0
        )
        assert ((ids[row] < 0) == (best <= 0)).all()


def test_a_history_without_neighbours_gets_new_popular_products():
    fitted = model_fit.fit(arrays([(0, 0, 1), (1, 0, 1), (2, 1, 1), (3, 2, 1)], 5), PLAIN)
    asked = sparse.csr_matrix(np.array([[1, 0, 0, 0, 0]], dtype=np.float32))

    ids, _ = fitted.rank(asked, asked, 4)

    assert ids.tolist() == [[1, 2, -1, -1]]


@pytest.mark.parametrize("rows", [[], [(0, 0, 0)], [(n, 0, 5) for n in range(9)], [(0, 0, 5), (0, 0, 5)]])
def test_empty_and_uniform_interactions_give_empty_weights(rows):
    fitted = model_fit.fit(arrays(rows, 1), replace(PLAIN, prior=0.5, half_life=3.0, second=1.0))
    asked = sparse.csr_matrix((1, 1), dtype=np.float32)

    assert fitted.forward.nnz == 0
    assert fitted.rank(asked, asked, 3)[0].tolist() == [[0 if rows else -1, -1, -1]]


def test_the_second_model_is_the_closed_form():
    x = random_matrix(50, 12)
    gram = (x.T @ x).toarray() + 7.0 * np.eye(12)
    inverse = np.linalg.inv(gram)

    weights = ease.closed_form(x, 7.0)

    assert np.allclose(weights, np.where(np.eye(12), 0.0, -inverse / np.diag(inverse)[None, :]))


def test_hyperparameters_change_only_for_a_sufficient_gain():
    small, large = (
        arrays([(0, 0, 0), (1, 1, 100)], products) for products in (2, hyperparameter_search.CHEAP + 1)
    )
    start = hyperparameter_search.start(small, (("user", 1.0),))

    little = hyperparameter_search.tune(start, small, lambda params: 1.0 + 0.005 * (params.shrink == 5.0))
    much = hyperparameter_search.tune(start, small, lambda params: 1.0 + 0.05 * (params.shrink == 5.0))
    cheap = hyperparameter_search.tune(start, small, lambda params: 1.0 + 0.04 * (params.second == 2.0))
    dear = hyperparameter_search.tune(start, large, lambda params: 1.0 + 0.04 * (params.second == 2.0))

    assert (little, much) == (start, replace(start, shrink=5.0))
    assert (cheap, dear) == (replace(start, second=2.0), start)
