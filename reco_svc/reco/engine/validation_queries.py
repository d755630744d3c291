"""Validation queries: the newest visits test hyperparameters that were fitted on the older ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from reco.engine import hyperparameter_search, model_fit
from reco.engine.interactions import Hyperparameters, InteractionArrays, Pairs, histories
from reco.engine.matrices import Kinds
from reco.engine.metrics import measure

MIN_QUERIES = 20  # fewer are too few to select by
MAX_QUERIES = 2000
MAX_INTERACTIONS = 2_000_000  # with more, tuning uses the newest owners


@dataclass(frozen=True, slots=True)
class ValidationQueries:
    """Histories, whose owner is the number of the query, and their target products."""

    history: Pairs
    targets: sparse.csr_matrix

    def score(self, older: InteractionArrays, params: Hyperparameters) -> float:
        """Return NDCG@10 of the hyperparameters fitted on `older`."""
        count = self.targets.shape[0]
        rows = np.arange(count)
        asked = histories(self.history, rows, older.products, params.history_half_life, params.strength)
        lists, _ = model_fit.fit(older, params).rank(asked, asked, 10)
        return measure(lists, self.targets, older.products).ndcg


def of_visits(newest: InteractionArrays) -> ValidationQueries:
    """Build queries from visits: the first product is the query, the others are the targets."""
    visits = newest.pairs("session")
    order = np.lexsort((visits.product, visits.time, visits.owner))
    owner = visits.owner[order]
    first = np.concatenate([[True], owner[1:] != owner[:-1]]) if len(owner) else np.zeros(0, dtype=bool)
    return _asked(_at(visits, order[first]), _at(visits, order[~first]), newest.products)


def of_people(older: InteractionArrays, newest: InteractionArrays) -> ValidationQueries:
    """Build queries from people: their past is the query, their new products are the targets."""
    known, fresh = older.pairs("user"), newest.pairs("user")
    old = known.owner.astype(np.int64) * older.products + known.product
    new = fresh.owner.astype(np.int64) * older.products + fresh.product
    targets = _at(fresh, np.flatnonzero(~np.isin(new, old)))
    return _asked(known, targets, older.products)


def select_hyperparameters(
    older: InteractionArrays,
    kinds: Kinds,
    asked: ValidationQueries,
    begin: Hyperparameters | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> Hyperparameters:
    """Select the best hyperparameters for these queries, or `begin` if there are too few.

    For a long history, the newest owners are enough. `progress` is called for every fit.
    """
    start = hyperparameter_search.start(older, kinds, begin)
    if asked.targets.shape[0] < MIN_QUERIES:
        return start
    newest = older.newest(kinds[0][0], MAX_INTERACTIONS)
    return hyperparameter_search.tune(start, newest, lambda params: asked.score(newest, params), progress)


def _at(pairs: Pairs, places: np.ndarray) -> Pairs:
    return Pairs(pairs.owner[places], pairs.product[places], pairs.weight[places], pairs.time[places])


def _asked(history: Pairs, targets: Pairs, products: int) -> ValidationQueries:
    """Build queries of owners that have both; at most MAX_QUERIES, those of the lowest numbers."""
    owners = np.intersect1d(history.owner, targets.owner)[:MAX_QUERIES]
    history, targets = (_at(one, np.flatnonzero(np.isin(one.owner, owners))) for one in (history, targets))
    row = np.searchsorted(owners, targets.owner)
    found = sparse.csr_matrix((np.ones(len(row)), (row, targets.product)), shape=(len(owners), products))
    number = np.searchsorted(owners, history.owner).astype(np.int32)
    return ValidationQueries(Pairs(number, history.product, history.weight, history.time), found)
