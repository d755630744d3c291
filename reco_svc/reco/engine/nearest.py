"""The costly part of a fit: the best neighbours of every product from a blocked sparse `X^T X`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import sparse

WORK = 6_000_000  # multiplications a block of X^T X: bounds the memory of a fit at about 150 MB


def nearest(x: sparse.csr_matrix, *, shrink: float, asymmetry: float, keep: int) -> sparse.csr_matrix:
    """Of every product the `keep` best others, shape (products, products), rows sorted by index.

    `c_ij / (n_i^a * n_j^(1-a) + shrink)` with c = X^T X and n its diagonal (Aiolli 2013). A row is
    the product to recommend, its columns what a history may hold. Memory: one block, and `keep` a product.
    """
    order, x = _popular_first(x)
    norms = np.bincount(x.indices, weights=x.data**2, minlength=x.shape[1]).astype(np.float32)
    left, right = norms**asymmetry, norms ** (1 - asymmetry)
    transposed = x.T.tocsr()
    rows = []
    for start, end in _blocks(x, transposed):
        counts = transposed[start:end] @ x
        sizes = np.diff(counts.indptr)
        row = np.repeat(np.arange(start, end, dtype=np.int32), sizes)
        counts.data /= left[row] * right[counts.indices] + np.float32(shrink)
        counts.data[row == counts.indices] = 0.0
        rows.append(best_per_row(counts, keep))
    best = sparse.vstack(rows, format="csr") if rows else sparse.csr_matrix((0, 0), dtype=np.float32)
    return _put_back(best, order)


def best_per_row(matrix: sparse.csr_matrix, keep: int) -> sparse.csr_matrix:
    """The `keep` largest positive entries of every row; of equal ones the first."""
    kept_indices, kept_data, sizes = [], [], np.zeros(matrix.shape[0] + 1, dtype=np.int64)
    for row in range(matrix.shape[0]):
        start, end = matrix.indptr[row], matrix.indptr[row + 1]
        values = matrix.data[start:end]
        chosen = _largest(values, keep)
        sizes[row + 1] = len(chosen)
        kept_indices.append(matrix.indices[start:end][chosen])
        kept_data.append(values[chosen])
    empty = [np.zeros(0, dtype=matrix.data.dtype)]
    data, indices = np.concatenate(kept_data or empty), np.concatenate(kept_indices or empty)
    return sparse.csr_matrix((data, indices.astype(np.int32), np.cumsum(sizes)), shape=matrix.shape)


def _largest(values: np.ndarray, keep: int) -> np.ndarray:
    # Methods rather than numpy's functions: their wrappers cost a tenth of a large fit.
    surplus = len(values) - keep
    if surplus <= 0:
        return (values > 0).nonzero()[0]
    # The value of the last one kept: partition is several times faster than argpartition.
    sorted_ = values.copy()
    sorted_.partition(surplus)
    limit = sorted_[surplus]
    if limit <= 0:
        return (values > 0).nonzero()[0]
    chosen = (values >= limit).nonzero()[0]
    if len(chosen) == keep:
        return chosen
    above = (values > limit).nonzero()[0]
    return np.concatenate([above, (values == limit).nonzero()[0][: keep - len(above)]])


def _popular_first(x: sparse.csr_matrix) -> tuple[np.ndarray, sparse.csr_matrix]:
    """Products by popularity: sums that are near each other in memory make X^T X a sixth faster."""
    order = np.argsort(-np.bincount(x.indices, minlength=x.shape[1]), kind="stable").astype(np.int32)
    place = np.empty_like(order)
    place[order] = np.arange(len(order), dtype=np.int32)
    return order, sparse.csr_matrix((x.data.astype(np.float32), place[x.indices], x.indptr), shape=x.shape)


def _put_back(best: sparse.csr_matrix, order: np.ndarray) -> sparse.csr_matrix:
    entries = best.tocoo()
    found = sparse.csr_matrix((entries.data, (order[entries.row], order[entries.col])), shape=best.shape)
    found.sort_indices()
    return found


def _blocks(x: sparse.csr_matrix, transposed: sparse.csr_matrix) -> Iterator[tuple[int, int]]:
    """Ranges of products whose rows of X^T X cost about WORK multiplications each."""
    sizes = np.diff(x.indptr).astype(np.int64)
    cost = np.concatenate([[0], np.cumsum(sizes[transposed.indices])])[transposed.indptr]
    start, last = 0, len(cost) - 1
    while start < last:
        end = int(np.searchsorted(cost, cost[start] + WORK, side="right")) - 1
        end = min(max(end, start + 1), last)
        yield start, end
        start = end
