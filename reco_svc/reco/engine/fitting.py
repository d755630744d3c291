"""A fit: from deeds and a recipe to weights between products, and lists from histories."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from reco.engine import second
from reco.engine.deeds import Deeds, Recipe, matrix, wanted
from reco.engine.knn import SparseKNN
from reco.engine.trainset import SparseTrainset

SECOND_KEEP = 200
UNSEEN = 0.5  # people that a product is given before the prior's power, so that a new one is not at nothing


@dataclass(frozen=True, slots=True)
class Fitted:
    """`forward[j, i]`: how much having j speaks for i. `popular`: products, the most wanted of late first."""

    forward: sparse.csr_matrix
    popular: np.ndarray
    knn: SparseKNN | None = None

    def rank(
        self, histories: sparse.csr_matrix, seen: sparse.csr_matrix, n: int, *, fill: bool = True
    ) -> tuple[np.ndarray, np.ndarray]:
        """The best `n` products of every row that are not in `seen`, and their scores, shape (rows, n).

        -1 where there are no more. With `fill`, popular ones follow when the history says nothing.
        """
        ids = np.full((histories.shape[0], n), -1, dtype=np.int32)
        scores = np.zeros((histories.shape[0], n), dtype=np.float32)
        hidden = np.zeros(histories.shape[1], dtype=bool)
        for start in range(0, histories.shape[0], 256):
            block = (histories[start : start + 256] @ self.forward).tocsr()
            for row in range(block.shape[0]):
                at = slice(block.indptr[row], block.indptr[row + 1])
                mine = _of(seen, start + row)
                hidden[mine] = True
                ids[start + row], scores[start + row] = self._best(
                    block.indices[at], block.data[at], hidden, n, fill
                )
                hidden[mine] = False
        return ids, scores

    def _best(
        self, products: np.ndarray, values: np.ndarray, hidden: np.ndarray, n: int, fill: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        values = np.where(hidden[products], 0.0, values)
        if len(values) > n:
            best = np.argpartition(-values, n - 1)[:n]
            products, values = products[best], values[best]
        best = np.lexsort((products, -values))
        best = best[values[best] > 0]
        found, given = products[best], values[best]
        if fill and len(found) < n:
            known = set(found.tolist())
            more = (
                product for product in self.popular.tolist() if not hidden[product] and product not in known
            )
            found = np.append(
                found, [product for product, _ in zip(more, range(n - len(found)), strict=False)]
            )
        return _padded(found, n, -1), _padded(given, n, 0.0)


def fit(deeds: Deeds, recipe: Recipe) -> Fitted:
    """The weights of everything that was done. An empty catalogue or no deeds give empty weights."""
    kind = recipe.kinds[0][0]
    lately = wanted(deeds, kind, recipe.prior_half_life)
    ever = wanted(deeds, kind, None)
    popular = np.lexsort((np.arange(deeds.products), -ever, -lately)).astype(np.int32)
    popular = popular[ever[popular] > 0]
    if not len(popular):
        return Fitted(sparse.csr_matrix((deeds.products, deeds.products), dtype=np.float32), popular)
    prior = ((lately + UNSEEN) / (lately + UNSEEN).mean()) ** recipe.prior
    x = matrix(deeds, recipe)
    known = SparseTrainset(x, range(x.shape[0]), range(x.shape[1]))
    knn = SparseKNN(shrink=recipe.shrink, asymmetry=recipe.asymmetry, keep=recipe.keep, prior=prior).fit(
        known
    )
    forward = knn.sim.matrix.T.tocsr()
    if recipe.second and deeds.products <= second.LIMIT:
        weights = second.closed_form(x, recipe.ridge) * prior[None, :] ** 0.5
        forward = second.blended(forward, weights, recipe.second, SECOND_KEEP)
    return Fitted(forward, popular, knn)


def _of(matrix: sparse.csr_matrix, row: int) -> np.ndarray:
    return np.asarray(matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]])


def _padded(values: np.ndarray, n: int, with_: float) -> np.ndarray:
    return np.concatenate([values[:n], np.full(max(0, n - len(values)), with_, dtype=np.float32)])
