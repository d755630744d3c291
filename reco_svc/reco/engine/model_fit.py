"""A fit: weights between products from interactions and hyperparameters, and lists from histories."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from reco.engine import ease
from reco.engine.interactions import Hyperparameters, InteractionArrays, demand, matrix
from reco.engine.knn import SparseKNN
from reco.engine.similarity import best_per_row
from reco.engine.trainset import SparseTrainset

SECOND_KEEP = 200
REACH = 150  # recommended products per product of a history; popular ones would have thousands
CELLS = 1_000_000  # scores at once, lists x products: 4 MB, which fit a processor's cache
UNSEEN = 0.5  # people added to each product before the prior, so that new products are not at zero


Places = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, slots=True)
class Fitted:
    """The result of a fit.

    `forward[j, i]` is the weight of j in a history for recommending i. `popular` has the products, the most
    wanted of late first.
    """

    forward: sparse.csr_matrix
    popular: np.ndarray
    knn: SparseKNN | None = None

    def rank(
        self, histories: sparse.csr_matrix, seen: sparse.csr_matrix, n: int, *, fill: bool = True
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the best `n` unseen products of every row, and their scores, each of shape (rows, n).

        -1 means no product. With `fill`, popular ones follow where the history has too few.
        """
        ids = np.full((histories.shape[0], n), -1, dtype=np.int32)
        scores = np.zeros((histories.shape[0], n), dtype=np.float32)
        step = max(1, CELLS // max(1, histories.shape[1]))
        for start in range(0, histories.shape[0], step):
            end = min(start + step, histories.shape[0])
            hidden = _places(seen, start, end)
            block = histories[start:end] @ self.forward
            ids[start:end], scores[start:end] = _best(block, hidden, n)
            if fill:
                self._fill(ids[start:end], hidden)
        return ids, scores

    def _fill(self, ids: np.ndarray, hidden: Places) -> None:
        """Fill the empty positions of these lists with popular products."""
        for row in np.flatnonzero(ids[:, -1] < 0).tolist():
            found = ids[row][ids[row] >= 0]
            gone = np.concatenate([hidden[1][hidden[0] == row], found])
            some = self.popular[: ids.shape[1] + len(gone)]
            more = some[~np.isin(some, gone)][: ids.shape[1] - len(found)]
            ids[row, len(found) : len(found) + len(more)] = more


def _places(matrix: sparse.csr_matrix, start: int, end: int) -> Places:
    """Return the rows (from 0) and columns of the entries of these rows."""
    columns = matrix.indices[matrix.indptr[start] : matrix.indptr[end]]
    return np.repeat(np.arange(end - start), np.diff(matrix.indptr[start : end + 1])), columns


def _best(block: sparse.csr_matrix, hidden: Places, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return per row the `n` largest positive entries that are not hidden, and their values.

    Ties go to the first column.
    """
    dense = block.toarray()
    dense[hidden] = 0.0
    # In one dimension: numpy finds true values there five times faster.
    found = (dense >= _limits(dense, n)[:, None]).ravel().nonzero()[0]
    rows, products = np.divmod(found, max(1, dense.shape[1]))
    values = dense.ravel()[found]
    order = np.lexsort((products, -values, rows))
    rows, products, values = rows[order], products[order], values[order]
    place = np.arange(len(rows)) - np.searchsorted(rows, rows)
    kept = place < n
    ids = np.full((dense.shape[0], n), -1, dtype=np.int32)
    scores = np.zeros((dense.shape[0], n), dtype=np.float32)
    ids[rows[kept], place[kept]], scores[rows[kept], place[kept]] = products[kept], values[kept]
    return ids, scores


def _limits(dense: np.ndarray, n: int) -> np.ndarray:
    """Return per row a positive number that at least `n` entries reach, if so many are positive.

    It is the n-th largest of the maxima of some parts of the row: ten times faster than to partition the row.
    """
    least = np.full(len(dense), np.finfo(np.float32).tiny, dtype=np.float32)
    parts = np.arange(0, dense.shape[1], max(1, dense.shape[1] // (8 * n)))
    if len(parts) <= n:
        return least
    maxima = np.maximum.reduceat(dense, parts, axis=1)
    bound: np.ndarray = np.partition(maxima, len(parts) - n, axis=1)[:, len(parts) - n]
    limits: np.ndarray = np.maximum(bound, least)
    return limits


def fit(arrays: InteractionArrays, params: Hyperparameters) -> Fitted:
    """Fit the weights of all interactions; an empty catalogue or no interactions give empty weights."""
    kind = params.kinds[0][0]
    lately = demand(arrays, kind, params.prior_half_life)
    ever = demand(arrays, kind, None)
    popular = np.lexsort((np.arange(arrays.products), -ever, -lately)).astype(np.int32)
    popular = popular[ever[popular] > 0]
    if not len(popular):
        return Fitted(sparse.csr_matrix((arrays.products, arrays.products), dtype=np.float32), popular)
    prior = ((lately + UNSEEN) / (lately + UNSEEN).mean()) ** params.prior
    x = matrix(arrays, params)
    known = SparseTrainset(x, range(x.shape[0]), range(x.shape[1]))
    knn = SparseKNN(shrink=params.shrink, asymmetry=params.asymmetry, keep=params.keep, prior=prior).fit(
        known
    )
    forward = best_per_row(knn.sim.matrix.T.tocsr(), REACH)
    if params.second and ease.is_feasible(arrays):
        weights = ease.closed_form(x, params.ridge)
        forward = ease.blend(forward, weights, prior**0.5, params.second, SECOND_KEEP)
    return Fitted(forward, popular, knn)
