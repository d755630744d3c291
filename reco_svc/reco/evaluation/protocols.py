"""Evaluation protocols: queries and targets, with the same split for every method.

There are no sampled negatives: every list is ranked over the whole catalogue that training knows. The test
split is used for queries only. Parameters come from the validation split; then train and validation are
learned from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from reco.engine.interactions import InteractionArrays, Pairs, histories
from reco.evaluation.interaction_log import InvalidData, Log

SEED = 20101201
SHARES = {"test": (0.8, 1.0), "validation": (0.7, 0.8)}  # of the baskets or sessions by time


@dataclass(frozen=True, slots=True)
class Split:
    """The training data (`interactions`, owners of `kind`), and the queries: histories and targets."""

    arrays: InteractionArrays
    kind: str
    owner: np.ndarray  # of every query; -1 if training does not know the owner
    history: Pairs  # its owner is the number of the query
    targets: sparse.csr_matrix = field(repr=False)

    @property
    def queries(self) -> int:
        return len(self.owner)

    def histories(
        self, half_life: float | None = None, strength: float = 0.5, *, plain: bool = False
    ) -> sparse.csr_matrix:
        """Return the histories, shape (queries, products)."""
        found = histories(self.history, np.arange(self.queries), self.arrays.products, half_life, strength)
        if plain:
            found.data[:] = 1.0
        return found

    def some(self, chosen: np.ndarray) -> Split:
        """Return a split with only these queries."""
        place = np.full(self.queries, -1)
        place[chosen] = np.arange(len(chosen))
        mine = place[self.history.owner] >= 0
        pairs = (self.history.product[mine], self.history.weight[mine], self.history.time[mine])
        history = Pairs(place[self.history.owner[mine]].astype(np.int32), *pairs)
        return Split(self.arrays, self.kind, self.owner[chosen], history, self.targets[chosen])


def split(log: Log, protocol: str) -> tuple[Split, Split]:
    """Return `(validation, test)`; raises InvalidData if there are no queries."""
    make = PROTOCOLS[protocol]
    validation, test = make(log, "validation"), make(log, "test")
    if not test.queries:
        raise InvalidData(f"nothing to ask with the protocol {protocol}: {NEEDS[protocol]}")
    return validation, test


def _last_basket(log: Log, part: str) -> Split:
    """Target the newest basket of customers with three or more; the one before it validates."""
    rows = (log.basket >= 0) & (log.user >= 0)
    count = int(log.basket.max(initial=-1)) + 1
    when, whose = np.full(count, -np.inf), np.full(count, -1)
    np.maximum.at(when, log.basket[rows], log.time[rows])
    whose[log.basket[rows]] = log.user[rows]
    return _newest(log, part, whose, when, log.basket)


def _last_item(log: Log, part: str) -> Split:
    """Target the newest product of customers, in the order of their first interactions."""
    rows = np.flatnonzero(log.user >= 0)
    key = log.user[rows].astype(np.int64) * log.items + log.item[rows]
    _, first, numbers = np.unique(key, return_index=True, return_inverse=True)
    group = np.full(len(log.item), -1)
    group[rows] = numbers.ravel()
    return _newest(log, part, log.user[rows][first], first.astype(np.float64), group)


def _newest(log: Log, part: str, whose: np.ndarray, when: np.ndarray, group: np.ndarray) -> Split:
    """Split by the newest group of each customer.

    `group` has the basket (or product) of every row; `whose` and `when` describe every group.
    """
    order = np.lexsort((np.arange(len(whose)), when, whose))
    order = order[whose[order] >= 0]
    users, starts, sizes = np.unique(whose[order], return_index=True, return_counts=True)
    last = (starts + sizes - 1)[sizes >= 3]
    newest, before = order[last], order[last - 1]
    hidden = np.zeros(len(whose) + 1, dtype=bool)
    hidden[newest] = True
    asked = newest
    if part == "validation":
        hidden[before] = True
        asked = before
    arrays = _arrays(log, ~hidden[group], ("user", *log.rows_of))
    customers = users[sizes >= 3]
    question = np.full(len(whose) + 1, -1)
    question[asked] = np.arange(len(asked))
    targets = _incidence(question[group], log.item, (len(asked), log.items))
    pairs = arrays.pairs("user")
    had = histories(pairs, customers, log.items, None)
    return _asked(arrays, "user", customers, _renumbered(pairs, customers), _without(targets, had, arrays))


def _basket(log: Log, part: str) -> Split:
    """Learn from the first baskets by time; in each later one a random product is the query."""
    draw = np.random.default_rng(SEED)
    return _later(log, part, "basket", log.basket, lambda rows: rows == draw.integers(len(rows)))


def _session(log: Log, part: str) -> Split:
    """Learn from the first sessions by time; in each later one the newest product is the target."""
    return _later(log, part, "session", log.session, lambda rows: rows < len(rows) - 1)


def _later(
    log: Log, part: str, kind: str, group: np.ndarray, asks: Callable[[np.ndarray], np.ndarray]
) -> Split:
    count = int(group.max(initial=-1)) + 1
    when = np.full(count, -np.inf)
    np.maximum.at(when, group[group >= 0], log.time[group >= 0])
    order = np.lexsort((np.arange(count), when))
    order = order[when[order] > -np.inf]
    start, end = (int(len(order) * share) for share in SHARES[part])
    learned, later = np.zeros(count + 1, dtype=bool), np.full(count + 1, -1)
    learned[order[:start]] = True
    later[order[start:end]] = np.arange(end - start)
    arrays = _arrays(log, learned[group], (kind, "user"))
    known = np.bincount(arrays.product, minlength=log.items) > 0
    rows = np.flatnonzero((later[group] >= 0) & known[log.item])
    rows = rows[np.argsort(later[group[rows]], kind="stable")]  # both stay sorted by time
    key = later[group[rows]].astype(np.int64) * log.items + log.item[rows]
    rows = rows[np.sort(np.unique(key, return_index=True)[1])]
    question = later[group[rows]]
    sizes = np.bincount(question, minlength=max(1, end - start))
    rows, question = rows[sizes[question] > 1], question[sizes[question] > 1]
    query = np.concatenate([asks(np.arange(size)) for size in sizes[sizes > 1]] or [np.zeros(0, dtype=bool)])
    numbers = np.cumsum(sizes > 1) - 1
    question = numbers[question]
    history = Pairs(
        question[query].astype(np.int32),
        log.item[rows[query]],
        log.weight[rows[query]],
        log.time[rows[query]],
    )
    shape = (int((sizes > 1).sum()), log.items)
    targets = _incidence(np.where(query, -1, question), log.item[rows], shape)
    return _asked(arrays, kind, np.full(shape[0], -1), history, targets)


def _arrays(log: Log, rows: np.ndarray, kinds: tuple[str, ...]) -> InteractionArrays:
    owners = {kind: getattr(log, kind)[rows] for kind in kinds}
    return InteractionArrays(
        log.item[rows], log.time[rows], log.weight[rows].astype(np.float32), owners, log.items
    )


def _incidence(row: np.ndarray, item: np.ndarray, shape: tuple[int, int]) -> sparse.csr_matrix:
    chosen = row >= 0
    found = sparse.csr_matrix(
        (np.ones(int(chosen.sum()), np.float32), (row[chosen], item[chosen])), shape=shape
    )
    found.data[:] = 1.0
    return found


def _without(
    targets: sparse.csr_matrix, had: sparse.csr_matrix, arrays: InteractionArrays
) -> sparse.csr_matrix:
    """Return the targets that are new to the customer and known to training."""
    known = np.bincount(arrays.product, minlength=arrays.products) > 0
    had.data[:] = 1.0
    fresh = (targets - targets.multiply(had)).tocsr()
    fresh.data *= known[fresh.indices]
    fresh.eliminate_zeros()
    return fresh


def _renumbered(pairs: Pairs, customers: np.ndarray) -> Pairs:
    place = np.full(max(int(pairs.owner.max(initial=-1)), int(customers.max(initial=-1))) + 1, -1)
    place[customers] = np.arange(len(customers))
    mine = place[pairs.owner] >= 0
    owner = place[pairs.owner[mine]].astype(np.int32)
    return Pairs(owner, pairs.product[mine], pairs.weight[mine], pairs.time[mine])


def _asked(
    arrays: InteractionArrays, kind: str, owner: np.ndarray, history: Pairs, targets: sparse.csr_matrix
) -> Split:
    whole = Split(arrays, kind, owner, history, targets)
    return whole.some(np.flatnonzero(np.diff(targets.indptr) > 0))


PROTOCOLS: dict[str, Callable[[Log, str], Split]] = {
    "last-basket": _last_basket,
    "last-item": _last_item,
    "basket": _basket,
    "session": _session,
}
NEEDS = {
    "last-basket": "no customer has three baskets, the newest with a known product that is new to them",
    "last-item": "no customer has three products, the newest of them known from others",
    "basket": "no basket of the newest fifth has two products that the older ones have",
    "session": "no session of the newest fifth has two products that the older ones have",
}


def save(part: Split, path: Path) -> None:
    arrays: dict[str, Any] = {f"owner_{kind}": numbers for kind, numbers in part.arrays.owners.items()}
    for name in ("product", "time", "weight"):
        arrays[f"deeds_{name}"] = getattr(part.arrays, name)
    for name in Pairs.__slots__:
        arrays[f"history_{name}"] = getattr(part.history, name)
    for name in ("data", "indices", "indptr"):
        arrays[f"targets_{name}"] = getattr(part.targets, name)
    np.savez(path, owner=part.owner, kind=part.kind, products=part.arrays.products, **arrays)


def load(path: Path) -> Split:
    with np.load(path, allow_pickle=False) as held:
        products = int(held["products"])
        owners = {name[6:]: held[name] for name in held.files if name.startswith("owner_")}
        arrays = InteractionArrays(
            held["deeds_product"], held["deeds_time"], held["deeds_weight"], owners, products
        )
        history = Pairs(*(held[f"history_{name}"] for name in Pairs.__slots__))
        parts = (held["targets_data"], held["targets_indices"], held["targets_indptr"])
        targets = sparse.csr_matrix(parts, shape=(len(held["owner"]), products))
        return Split(arrays, str(held["kind"]), held["owner"], history, targets)
