"""The simple baselines: popularity and co-occurrence counts."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from reco.evaluation.methods import Parameters
from reco.evaluation.protocols import Split


def incidence(split: Split, *, counts: bool = False) -> sparse.csr_matrix:
    """Return the training matrix of owners and products: 1 for each pair, or its count."""
    owner = split.arrays.owners[split.kind]
    rows = owner >= 0
    shape = (int(owner.max(initial=-1)) + 1, split.arrays.products)
    ones = np.ones(int(rows.sum()), dtype=np.float32)
    x = sparse.csr_matrix((ones, (owner[rows], split.arrays.product[rows])), shape=shape)
    x.sum_duplicates()
    if not counts:
        x.data[:] = 1.0
    return x


def top(scores: np.ndarray, seen: sparse.csr_matrix, start: int, n: int) -> np.ndarray:
    """Return the best `n` of dense scores, shape (rows, products); row 0 is `start` of `seen`."""
    scores = scores.astype(np.float32)
    for row in range(len(scores)):
        scores[row, seen.indices[seen.indptr[start + row] : seen.indptr[start + row + 1]]] = -np.inf
    n_here = min(n, scores.shape[1])
    best = np.argpartition(-scores, n_here - 1, axis=1)[:, :n_here]
    values = np.take_along_axis(scores, best, 1)
    order = np.argsort(-values, axis=1, kind="stable")
    best, values = np.take_along_axis(best, order, 1), np.take_along_axis(values, order, 1)
    best = np.where(np.isfinite(values), best, -1)
    return np.pad(best, ((0, 0), (0, n - n_here)), constant_values=-1).astype(np.int32)


class Popularity:
    """Distinct owners (customers, baskets or sessions) per product."""

    def grid(self, validation: Split) -> list[Parameters]:
        return [{}]

    def fit(self, split: Split, parameters: Parameters) -> None:
        wanted = np.bincount(incidence(split).indices, minlength=split.arrays.products)
        order = np.argsort(-wanted, kind="stable")
        self._order = order[wanted[order] > 0]

    def rank(self, split: Split, n: int) -> np.ndarray:
        seen = split.histories()
        lists = np.full((split.queries, n), -1, dtype=np.int32)
        for row in range(split.queries):
            mine = seen.indices[seen.indptr[row] : seen.indptr[row + 1]]
            some = self._order[: n + len(mine)]
            found = some[~np.isin(some, mine)][:n]
            lists[row, : len(found)] = found
        return lists


class Counts:
    """Raw pair counts, as in shop plug-ins."""

    def grid(self, validation: Split) -> list[Parameters]:
        return [{}]

    def fit(self, split: Split, parameters: Parameters) -> None:
        x = incidence(split)
        self._pairs = (x.T @ x).tocsr()
        self._pairs.setdiag(0)

    def rank(self, split: Split, n: int) -> np.ndarray:
        asked = split.histories(plain=True)
        lists = [
            top((asked[start : start + 256] @ self._pairs).toarray(), asked, start, n)
            for start in range(0, split.queries, 256)
        ]
        return np.concatenate(lists)
