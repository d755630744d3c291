"""The second model for small catalogues: EASE^R's closed form (Steck 2019), stored sparsely.

It is dense and cubic in the products, so it is used only where that is cheap; the validation split decides
whether it pays.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.linalg import lapack

from reco.engine.interactions import InteractionArrays

MAX_PRODUCTS = 6000  # products: 300 MB a matrix and about ten seconds; both grow fast beyond
BLOCK = 256  # columns processed at once, so that only one whole matrix is in memory
WARM = 600  # rows: enough for all threads


def is_feasible(arrays: InteractionArrays) -> bool:
    return arrays.dense and arrays.products <= MAX_PRODUCTS


def warm_up() -> None:
    """Let BLAS allocate its buffers before memory is limited.

    If it gets no memory, it retries for ever instead of failing.
    """
    square = np.eye(WARM) + 0.1
    lapack.dpotri(lapack.dpotrf(square, lower=1)[0], lower=1)
    square @ square


def closed_form(x: sparse.csr_matrix, ridge: float) -> np.ndarray:
    """Return EASE^R's weights, shape (history products, recommended products), float64, diagonal 0.

    B = I - P / diag(P) with P = (X^T X + ridge I)^-1. LinAlgError if that is singular (ridge 0). It needs one
    such matrix only: the inverse replaces X^T X in place, in LAPACK's column order.
    """
    inverse = _gram(x)
    inverse[np.diag_indices_from(inverse)] += ridge
    inverse, failed = lapack.dpotrf(inverse, lower=1, overwrite_a=1)
    if failed:
        raise np.linalg.LinAlgError("X^T X + ridge is not positive definite")
    inverse, _ = lapack.dpotri(inverse, lower=1, overwrite_c=1)
    diagonal = -np.diag(inverse)
    for start in range(0, len(inverse), BLOCK):
        end = start + BLOCK
        block = np.tril(inverse[start:end, start:end], -1)
        inverse[start:end, start:end] = block + block.T
        inverse[start:end, end:] = inverse[end:, start:end].T
    for start in range(0, len(inverse), BLOCK):
        inverse[:, start : start + BLOCK] /= diagonal[start : start + BLOCK]
    return np.asarray(inverse)


def blend(
    forward: sparse.csr_matrix, weights: np.ndarray, prior: np.ndarray, share: float, keep: int
) -> sparse.csr_matrix:
    """Add the second model's `keep` strongest weights per product to `forward`.

    They are multiplied by `share` and `prior`. Both models are scaled to the same spread first, so that a
    share means the same for every shop.
    """
    columns = range(0, weights.shape[1], BLOCK)
    other = sparse.hstack(
        [_strongest(weights[:, at : at + BLOCK] * prior[at : at + BLOCK], keep) for at in columns],
        format="csr",
    )
    return (forward / spread(forward) + other * np.float32(share / spread(other))).tocsr()


def _gram(x: sparse.csr_matrix) -> np.ndarray:
    """Return X^T X, dense, in column order."""
    count = x.shape[1]
    gram = np.empty((count, count), order="F")
    transposed = x.T.tocsr()
    for start in range(0, count, BLOCK):
        # Symmetric: rows of the sparse product are columns here.
        gram[:, start : start + BLOCK] = (transposed[start : start + BLOCK] @ x).toarray().T
    return gram


def _strongest(weights: np.ndarray, keep: int) -> sparse.csc_matrix:
    """Keep the `keep` entries of every column with the largest absolute values."""
    if weights.shape[0] > keep:
        strongest = np.abs(weights)
        strongest.partition(weights.shape[0] - keep, axis=0)
        limit = strongest[weights.shape[0] - keep].copy()
        weights = np.where(np.abs(weights) >= limit, weights, 0.0)
    return sparse.csc_matrix(weights.astype(np.float32))


def spread(matrix: sparse.csr_matrix) -> float:
    """Return the root mean square over the whole matrix; 1 for an empty one."""
    return float(np.sqrt((matrix.data.astype(np.float64) ** 2).sum() / max(1, matrix.shape[0] ** 2))) or 1.0
