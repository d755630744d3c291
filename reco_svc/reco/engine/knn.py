"""scikit-surprise's KNN for behaviour data, by its two documented extension points.

Stock KNNBasic does not do this job: for implicit data (everything a 1) its cosine is 1.0 for every
co-rated pair and it allocates dense n x n matrices. Here `compute_similarities` is a full-vector cosine
with shrinkage and asymmetry on sparse matrices (Aiolli 2013, "Efficient top-N recommendation for very large
scale binary rated datasets"), and `estimate` the un-normalised sum over the history (Cremonesi et al. 2010).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from surprise import KNNBasic, PredictionImpossible, Trainset

BLOCK = 1024  # items a block of X^T X; bounds the memory of a fit


class SparseSimilarities:
    """Answers `sim[x, y]` as Surprise's own dense matrix does, from a sparse one."""

    def __init__(self, matrix: sparse.csr_matrix) -> None:
        self.matrix = matrix

    def __getitem__(self, pair: tuple[int, int]) -> float:
        return float(self.matrix[pair[0], pair[1]])

    def nearest(self, item: int) -> list[tuple[int, float]]:
        """`(item, similarity)` of the kept neighbours, the nearest first."""
        start, end = self.matrix.indptr[item], self.matrix.indptr[item + 1]
        order = np.argsort(-self.matrix.data[start:end], kind="stable")
        return [(int(self.matrix.indices[start + at]), float(self.matrix.data[start + at])) for at in order]


class SparseKNN(KNNBasic):  # type: ignore[misc]  # surprise has no types
    """Item-based KNN: `c_ij / (n_i^a * n_j^(1-a) + shrink)`, the best `keep` per item kept."""

    def __init__(
        self, k: int = 100, *, shrink: float = 20.0, asymmetry: float = 0.5, keep: int = 100
    ) -> None:
        super().__init__(k=k, sim_options={"user_based": False}, verbose=False)
        self.shrink, self.asymmetry, self.keep = shrink, asymmetry, keep

    def compute_similarities(self) -> SparseSimilarities:
        """Similarities of all items, shape (items, items), at most `keep` a row, the diagonal empty."""
        x = self._matrix()
        norms = np.asarray(x.multiply(x).sum(axis=0)).ravel()
        transposed = x.T.tocsr()
        blocks = [
            self._block(transposed[start : start + BLOCK] @ x, start, norms)
            for start in range(0, x.shape[1], BLOCK)
        ]
        return SparseSimilarities(sparse.vstack(blocks, format="csr"))

    def estimate(self, u: Any, i: Any) -> float:
        """The sum of similarity x rating over the k nearest things of the user's history."""
        if not (self.trainset.knows_user(u) and self.trainset.knows_item(i)):
            raise PredictionImpossible("User and/or item is unknown.")
        terms = sorted((self.sim[i, j] * rating for j, rating in self.trainset.ur[u]), reverse=True)
        return float(sum(terms[: self.k]))

    def _matrix(self) -> sparse.csr_matrix:
        rows, columns, values = zip(*self.trainset.all_ratings(), strict=True)
        shape = (self.trainset.n_users, self.trainset.n_items)
        return sparse.csr_matrix((np.asarray(values, dtype=np.float64), (rows, columns)), shape=shape)

    def _block(self, counts: sparse.csr_matrix, first: int, norms: np.ndarray) -> sparse.csr_matrix:
        counts = counts.tocoo()
        keep = counts.col != counts.row + first
        rows, columns, data = counts.row[keep], counts.col[keep], counts.data[keep]
        divisor = norms[rows + first] ** self.asymmetry * norms[columns] ** (1 - self.asymmetry)
        scores = sparse.csr_matrix((data / (divisor + self.shrink), (rows, columns)), shape=counts.shape)
        return _best_per_row(scores, self.keep)


def _best_per_row(matrix: sparse.csr_matrix, keep: int) -> sparse.csr_matrix:
    for row in range(matrix.shape[0]):
        start, end = matrix.indptr[row], matrix.indptr[row + 1]
        if end - start > keep:
            values = matrix.data[start:end]
            values[np.argpartition(-values, keep)[keep:]] = 0.0
    matrix.eliminate_zeros()
    return matrix


def trainset(ratings: dict[tuple[str, str], float]) -> Trainset:
    """A Surprise Trainset of `{(owner, product): weight}`.

    Inner ids are contiguous: with gaps Surprise corrupts its heap.
    """
    owners: dict[str, int] = {}
    items: dict[str, int] = {}
    by_owner: dict[int, list[tuple[int, float]]] = {}
    by_item: dict[int, list[tuple[int, float]]] = {}
    for (owner, product), weight in sorted(ratings.items()):
        user, item = owners.setdefault(owner, len(owners)), items.setdefault(product, len(items))
        by_owner.setdefault(user, []).append((item, weight))
        by_item.setdefault(item, []).append((user, weight))
    top = max(ratings.values(), default=1.0)
    return Trainset(by_owner, by_item, len(owners), len(items), len(ratings), (0, top), owners, items)
