"""Similarity: the best neighbours of every product from a blocked sparse `X^T X`.

It is the costly part of a fit.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import sparse

MAX_WORK = 6_000_000  # multiplications a block of X^T X: bounds the memory of a fit at about 150 MB


def nearest(
    x: sparse.csr_matrix, *, shrink: float, asymmetry: float, keep: int, work: int = MAX_WORK
) -> sparse.csr_matrix:
    """Return the `keep` best neighbours, shape (products, products), with rows sorted by index.

    `c_ij / (n_i^a * n_j^(1-a) + shrink)` with c = X^T X and n its diagonal (Aiolli 2013). A row is the
    product to recommend, its columns the products of a history. Memory: one block, and `keep` a product.
    """
    order, x = _popular_first(x)
    norms = np.bincount(x.indices, weights=x.data**2, minlength=x.shape[1]).astype(np.float32)
    left, right = norms**asymmetry, norms ** (1 - asymmetry)
    transposed = x.T.tocsr()
    rows = []
    for start, end in _blocks(x, transposed, work):
        counts = transposed[start:end] @ x
        sizes = np.diff(counts.indptr)
        row = np.repeat(np.arange(start, end, dtype=np.int32), sizes)
        counts.data /= left[row] * right[counts.indices] + np.float32(shrink)
        counts.data[row == counts.indices] = 0.0
        rows.append(best_per_row(counts, keep))
    best = sparse.vstack(rows, format="csr") if rows else sparse.csr_matrix((0, 0), dtype=np.float32)
    return _put_back(best, order)


def best_per_row(matrix: sparse.csr_matrix, keep: int) -> sparse.csr_matrix:
    """Keep the `keep` largest positive entries of every row; ties go to the first."""
    data = matrix.data.astype(np.float32, copy=False)
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    limit = _limits(matrix.indptr, data, keep)
    chosen = ((data >= limit[row]) & (data > 0)).nonzero()[0]
    tied = data[chosen] == limit[row[chosen]]
    chosen = _without_surplus(chosen, row[chosen], matrix.indices[chosen], tied, keep)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row[chosen], minlength=matrix.shape[0]))])
    return sparse.csr_matrix((data[chosen], matrix.indices[chosen], indptr), shape=matrix.shape)


def _limits(indptr: np.ndarray, data: np.ndarray, keep: int) -> np.ndarray:
    """Return for each row the value of its `keep`-th entry, 0 if it has no more than that."""
    limit = np.zeros(len(indptr) - 1, dtype=np.float32)
    for row in (np.diff(indptr) > keep).nonzero()[0].tolist():
        values = data[indptr[row] : indptr[row + 1]].copy()
        values.partition(len(values) - keep)  # seven times faster than a sort of keys for all rows
        limit[row] = values[len(values) - keep]
    return limit


def _without_surplus(
    chosen: np.ndarray, row: np.ndarray, column: np.ndarray, tied: np.ndarray, keep: int
) -> np.ndarray:
    """Break ties at the limit by the lowest column; the entries are unordered."""
    most = int(row.max(initial=-1)) + 1
    room = keep - np.bincount(row[~tied], minlength=most)
    crowded = np.bincount(row[tied], minlength=most) > room
    doubtful = np.flatnonzero(tied & crowded[row])
    if not len(doubtful):
        return chosen
    order = doubtful[np.lexsort((column[doubtful], row[doubtful]))]
    mine = row[order]
    rank = np.arange(len(order)) - np.searchsorted(mine, mine)
    kept = np.ones(len(chosen), dtype=bool)
    kept[order[rank >= room[mine]]] = False
    found: np.ndarray = chosen[kept]
    return found


def _popular_first(x: sparse.csr_matrix) -> tuple[np.ndarray, sparse.csr_matrix]:
    """Sort products by popularity: nearby sums in memory make X^T X a sixth faster."""
    order = np.argsort(-np.bincount(x.indices, minlength=x.shape[1]), kind="stable").astype(np.int32)
    place = np.empty_like(order)
    place[order] = np.arange(len(order), dtype=np.int32)
    return order, sparse.csr_matrix((x.data.astype(np.float32), place[x.indices], x.indptr), shape=x.shape)


def _put_back(best: sparse.csr_matrix, order: np.ndarray) -> sparse.csr_matrix:
    entries = best.tocoo()
    found = sparse.csr_matrix((entries.data, (order[entries.row], order[entries.col])), shape=best.shape)
    found.sort_indices()
    return found


def _blocks(x: sparse.csr_matrix, transposed: sparse.csr_matrix, work: int) -> Iterator[tuple[int, int]]:
    """Split products into ranges whose rows of X^T X cost about `work` multiplications each."""
    sizes = np.diff(x.indptr).astype(np.int64)
    cost = np.concatenate([[0], np.cumsum(sizes[transposed.indices])])[transposed.indptr]
    start, last = 0, len(cost) - 1
    while start < last:
        end = int(np.searchsorted(cost, cost[start] + work, side="right")) - 1
        end = min(max(end, start + 1), last)
        yield start, end
        start = end
