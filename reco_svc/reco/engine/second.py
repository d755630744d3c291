"""The second model for small catalogues: EASE^R's closed form (Steck 2019), kept sparse beside the KNN.

Dense and cubic in the products, so only where that is cheap; the validation split says whether it pays.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.linalg import lapack

from reco.engine.deeds import Deeds

LIMIT = 6000  # products: 300 MB a matrix and about ten seconds; both grow fast beyond
WARM = 600  # rows: enough for all threads


def possible(deeds: Deeds) -> bool:
    return deeds.dense and deeds.products <= LIMIT


def warm() -> None:
    """Lets BLAS take its buffers. Where it gets none, it asks again and again for ever rather than fail, so
    this comes before memory is capped."""
    square = np.eye(WARM) + 0.1
    lapack.dpotri(lapack.dpotrf(square, lower=1)[0], lower=1)
    square @ square


def closed_form(x: sparse.csr_matrix, ridge: float) -> np.ndarray:
    """EASE^R's weights, shape (products of the history, products recommended), float64, the diagonal 0.

    B = I - P / diag(P) with P = (X^T X + ridge I)^-1. LinAlgError when that is singular (ridge 0).
    """
    gram = (x.T @ x).toarray().astype(np.float64)
    gram[np.diag_indices_from(gram)] += ridge
    factor, failed = lapack.dpotrf(gram, lower=1, overwrite_a=1)
    if failed:
        raise np.linalg.LinAlgError("X^T X + ridge is not positive definite")
    inverse, _ = lapack.dpotri(factor, lower=1, overwrite_c=1)
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    inverse /= -np.diag(inverse)[None, :].copy()
    inverse[np.diag_indices_from(inverse)] = 0.0
    return np.asarray(inverse)


def blended(forward: sparse.csr_matrix, weights: np.ndarray, share: float, keep: int) -> sparse.csr_matrix:
    """`forward` plus `share` of the second model's `keep` strongest weights per recommended product.

    Both are brought to the same spread first, so that a share means the same for every shop.
    """
    strongest = np.abs(weights)
    if weights.shape[0] > keep:
        limit = np.partition(strongest, weights.shape[0] - keep, axis=0)[weights.shape[0] - keep]
        weights = np.where(strongest >= limit[None, :], weights, 0.0)
    other = sparse.csr_matrix(weights.astype(np.float32))
    return (forward / spread(forward) + other * np.float32(share / spread(other))).tocsr()


def spread(matrix: sparse.csr_matrix) -> float:
    """Root of the mean square over the whole matrix; 1 for an empty one."""
    return float(np.sqrt((matrix.data.astype(np.float64) ** 2).sum() / max(1, matrix.shape[0] ** 2))) or 1.0
