"""NDCG@10 with binary gain, hit rate and coverage of lists."""

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
    questions: int


def measure(ids: np.ndarray, targets: sparse.csr_matrix, known: int) -> Figures:
    """Of lists, shape (questions, N), -1 for no product; the ideal is over min(10, targets)
    (Järvelin and Kekäläinen 2002). Coverage: distinct products shown, of the `known` ones."""
    hits = np.zeros(ids.shape, dtype=bool)
    for row in range(len(ids)):
        hits[row] = np.isin(ids[row], targets.indices[targets.indptr[row] : targets.indptr[row + 1]])
    discount = 1.0 / np.log2(np.arange(2, N + 2))
    ideal = np.cumsum(discount)[np.minimum(np.diff(targets.indptr), N) - 1]
    ndcg = (hits * discount).sum(axis=1) / ideal
    shown = len(np.unique(ids[ids >= 0]))
    return Figures(float(ndcg.mean()), float(hits.any(axis=1).mean()), shown / max(1, known), len(ids))
