"""A Surprise `Trainset` on a sparse matrix, instead of ten million Python tuples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from scipy import sparse
from surprise import Trainset


class SparseTrainset(Trainset):
    """A `Trainset` that reads a matrix of shape (owners, products) when needed.

    Inner ids are positions in the matrix, so they are contiguous: with gaps Surprise corrupts its heap.
    """

    def __init__(self, x: sparse.csr_matrix, owners: Sequence[Any], products: Sequence[Any]) -> None:
        self.matrix = x
        self._owners, self._products = owners, products
        scale = (0.0, float(x.data.max()) if x.nnz else 1.0)
        super().__init__(Rows(x), Columns(x), x.shape[0], x.shape[1], x.nnz, scale, {}, {})
        self._known = False

    @property
    def global_mean(self) -> float:
        return float(self.matrix.data.mean()) if self.matrix.nnz else 0.0

    def to_inner_uid(self, ruid: Any) -> int:
        self._learn_names()
        return int(super().to_inner_uid(ruid))

    def to_inner_iid(self, riid: Any) -> int:
        self._learn_names()
        return int(super().to_inner_iid(riid))

    def to_raw_uid(self, iuid: int) -> Any:
        return self._owners[iuid]

    def to_raw_iid(self, iiid: int) -> Any:
        return self._products[iiid]

    def _learn_names(self) -> None:
        if not self._known:
            self._raw2inner_id_users.update({name: place for place, name in enumerate(self._owners)})
            self._raw2inner_id_items.update({name: place for place, name in enumerate(self._products)})
            self._known = True


class Rows(Mapping[int, list[tuple[int, float]]]):
    """`ur`: `(product, rating)` of every owner."""

    def __init__(self, x: sparse.csr_matrix) -> None:
        self._x = x

    def __getitem__(self, row: int) -> list[tuple[int, float]]:
        if not 0 <= row < self._x.shape[0]:
            raise KeyError(row)
        start, end = self._x.indptr[row], self._x.indptr[row + 1]
        ratings = self._x.data[start:end].astype(float).tolist()
        return list(zip(self._x.indices[start:end].tolist(), ratings, strict=True))

    def __contains__(self, row: object) -> bool:
        return isinstance(row, int | np.integer) and 0 <= row < self._x.shape[0]

    def __iter__(self) -> Iterator[int]:
        return iter(range(self._x.shape[0]))

    def __len__(self) -> int:
        return int(self._x.shape[0])


class Columns(Rows):
    """`ir`: `(owner, rating)` of every product; transposed on first use."""

    def __init__(self, x: sparse.csr_matrix) -> None:
        self._standing, self._turned = x, None

    @property
    def _x(self) -> sparse.csr_matrix:
        if self._turned is None:
            self._turned = self._standing.T.tocsr()
        return self._turned


def trainset(ratings: Mapping[tuple[str, str], float]) -> SparseTrainset:
    """Build a trainset from `{(owner, product): rating}`, both in the order of their names."""
    owners = sorted({owner for owner, _ in ratings})
    products = sorted({product for _, product in ratings})
    row, column = ({name: place for place, name in enumerate(names)} for names in (owners, products))
    places = ([row[owner] for owner, _ in ratings], [column[product] for _, product in ratings])
    values = np.fromiter(ratings.values(), dtype=np.float32, count=len(ratings))
    x = sparse.csr_matrix((values, places), shape=(len(owners), len(products)))
    return SparseTrainset(x, owners, products)
