"""Ranking metrics: NDCG@10 with binary gain, hit rate and coverage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

N = 10


@dataclass(frozen=True, slots=True)
class Figures:
    ndcg: float
    hit_rate: float
    coverage: float
    queries: int


def measure(ids: np.ndarray, targets: sparse.csr_matrix, known: int) -> Figures:
    """Measure lists of shape (queries, N), with -1 for no product.

    The ideal is over min(10, targets) (Järvelin and Kekäläinen 2002). Coverage is the share of the `known`
    products that are shown.
    """
    hits = np.zeros(ids.shape, dtype=bool)
    for row in range(len(ids)):
        hits[row] = np.isin(ids[row], targets.indices[targets.indptr[row] : targets.indptr[row + 1]])
    discount = 1.0 / np.log2(np.arange(2, N + 2))
    ideal = np.cumsum(discount)[np.minimum(np.diff(targets.indptr), N) - 1]
    ndcg = (hits * discount).sum(axis=1) / ideal
    shown = len(np.unique(ids[ids >= 0]))
    return Figures(float(ndcg.mean()), float(hits.any(axis=1).mean()), shown / max(1, known), len(ids))
