"""What the newest visits ask of a recipe that was fitted on the older ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from reco.engine import fitting, tuning
from reco.engine.deeds import Deeds, Pairs, Recipe, histories
from reco.engine.matrices import Kinds
from reco.engine.measuring import measure

ENOUGH = 20  # questions; fewer say too little to choose by
MOST = 2000
MOST_DEEDS = 2_000_000  # tuning beyond that is done on the newest owners


@dataclass(frozen=True, slots=True)
class Questions:
    """A history each, whose owner is the number of the question, and what would have been right."""

    history: Pairs
    targets: sparse.csr_matrix

    def score(self, older: Deeds, recipe: Recipe) -> float:
        """NDCG@10 of the recipe fitted on `older`."""
        count = self.targets.shape[0]
        rows = np.arange(count)
        asked = histories(self.history, rows, older.products, recipe.history_half_life, recipe.strength)
        lists, _ = fitting.fit(older, recipe).rank(asked, asked, 10)
        return measure(lists, self.targets, older.products).ndcg


def of_visits(newest: Deeds) -> Questions:
    """The first product of each visit asks for the others."""
    visits = newest.pairs("session")
    order = np.lexsort((visits.product, visits.time, visits.owner))
    owner = visits.owner[order]
    first = np.concatenate([[True], owner[1:] != owner[:-1]]) if len(owner) else np.zeros(0, dtype=bool)
    return _asked(_at(visits, order[first]), _at(visits, order[~first]), newest.products)


def of_people(older: Deeds, newest: Deeds) -> Questions:
    """What each person did before asks for what they did since and had not done before."""
    known, fresh = older.pairs("user"), newest.pairs("user")
    old = known.owner.astype(np.int64) * older.products + known.product
    new = fresh.owner.astype(np.int64) * older.products + fresh.product
    targets = _at(fresh, np.flatnonzero(~np.isin(new, old)))
    return _asked(known, targets, older.products)


def chosen(
    older: Deeds,
    kinds: Kinds,
    asked: Questions,
    begin: Recipe | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> Recipe:
    """The best recipe for these questions; `begin` (with these kinds) where they are too few. Of a long
    history the newest owners are enough to choose by. `progress` is told of every fit."""
    start = tuning.start(older, kinds, begin)
    if asked.targets.shape[0] < ENOUGH:
        return start
    newest = older.newest(kinds[0][0], MOST_DEEDS)
    return tuning.tune(start, newest, lambda recipe: asked.score(newest, recipe), progress)


def _at(pairs: Pairs, places: np.ndarray) -> Pairs:
    return Pairs(pairs.owner[places], pairs.product[places], pairs.weight[places], pairs.time[places])


def _asked(history: Pairs, targets: Pairs, products: int) -> Questions:
    """Of owners with both; at most MOST, those of the lowest numbers."""
    owners = np.intersect1d(history.owner, targets.owner)[:MOST]
    history, targets = (_at(one, np.flatnonzero(np.isin(one.owner, owners))) for one in (history, targets))
    row = np.searchsorted(owners, targets.owner)
    found = sparse.csr_matrix((np.ones(len(row)), (row, targets.product)), shape=(len(owners), products))
    number = np.searchsorted(owners, history.owner).astype(np.int32)
    return Questions(Pairs(number, history.product, history.weight, history.time), found)
