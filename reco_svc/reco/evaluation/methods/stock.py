"""Surprise's own KNNBasic as people use it: `predict` for every product, or `get_neighbors` of one."""

from __future__ import annotations

import heapq
import time
from typing import Any

import numpy as np
from surprise import KNNBasic, Trainset

from reco.evaluation.methods import Parameters, require_memory
from reco.evaluation.methods.simple import incidence
from reco.evaluation.protocols import Split

MAX_SECONDS = 90.0  # limit of the loop over `predict`; only the answered queries count


class Stock:
    def grid(self, validation: Split) -> list[Parameters]:
        return [{"name": "cosine"}]

    def fit(self, split: Split, parameters: Parameters) -> None:
        known, self._inner = trainset_of(split)
        self._raw = np.array(list(self._inner), dtype=np.int32)
        require_memory(4.5 * 8 * len(self._raw) ** 2, "stock KNNBasic (dense matrices)")
        options = {"name": parameters["name"], "user_based": False}
        self._model = KNNBasic(sim_options=options, verbose=False).fit(known)

    def rank(self, split: Split, n: int) -> np.ndarray:
        seen, until, lists = split.histories(), time.monotonic() + MAX_SECONDS, []
        newest = _newest(split)
        for row in range(split.queries):
            mine = seen.indices[seen.indptr[row] : seen.indptr[row + 1]].tolist()
            one = self._predicted(int(split.owner[row]), mine, n) if split.owner[row] >= 0 else None
            lists.append(one if one is not None else self._near(int(newest[row]), mine, n))
            if time.monotonic() > until:
                break
        return np.array(lists, dtype=np.int32)

    def _predicted(self, owner: int, seen: list[int], n: int) -> list[int]:
        had = set(seen)
        estimates = (
            (self._model.predict(owner, int(item)).est, -int(item)) for item in self._raw if item not in had
        )
        return _padded([-item for _, item in heapq.nlargest(n, estimates)], n)

    def _near(self, item: int, seen: list[int], n: int) -> list[int]:
        if item not in self._inner:
            return [-1] * n
        near = self._model.get_neighbors(self._inner[item], k=n + len(seen))
        return _padded([raw for raw in self._raw[near].tolist() if raw not in seen], n)


def _padded(items: list[int], n: int) -> list[int]:
    return items[:n] + [-1] * (n - len(items))


def _newest(split: Split) -> np.ndarray:
    """Return the newest product of each query's history."""
    newest = np.full(split.queries, -1)
    order = np.argsort(split.history.time, kind="stable")
    newest[split.history.owner[order]] = split.history.product[order]
    return newest


def trainset_of(split: Split) -> tuple[Any, dict[int, int]]:
    """Build Surprise's own Trainset, everything a 1, and the inner id of every product (contiguous)."""
    x = incidence(split).tocoo()
    users: dict[int, int] = {}
    items: dict[int, int] = {}
    by_user: dict[int, list[tuple[int, float]]] = {}
    by_item: dict[int, list[tuple[int, float]]] = {}
    for row, column in zip(x.row.tolist(), x.col.tolist(), strict=True):
        user, item = users.setdefault(row, len(users)), items.setdefault(column, len(items))
        by_user.setdefault(user, []).append((item, 1.0))
        by_item.setdefault(item, []).append((user, 1.0))
    return Trainset(by_user, by_item, len(users), len(items), x.nnz, (1, 1), users, items), items
