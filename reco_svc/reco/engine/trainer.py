"""A whole training: choose parameters on a time split, refit on everything, measure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from scipy import sparse

from reco import domain
from reco.domain import Comparison, Interaction, Lists, Quality, Scored, Served
from reco.engine import fitting, matrices, questions
from reco.engine.deeds import Deeds, Recipe, histories
from reco.engine.quality import measure
from reco.engine.tuning import described

ALGORITHM = "surprise-knn-sparse"
KEPT = 50

Progress = Callable[[str, float], None]
Near = dict[str, list[Scored]]


@dataclass(frozen=True, slots=True)
class Trained:
    lists: Lists
    parameters: dict[str, float]
    quality: Quality
    compared: Comparison | None
    algorithm: str = ALGORITHM


@dataclass(frozen=True, slots=True)
class _Recipes:
    """One per question."""

    similar: Recipe
    together: Recipe
    personal: Recipe

    def described(self) -> dict[str, float]:
        """Those of `similar` by their names, the others' behind the name of their question."""
        others = {"together": self.together, "personal": self.personal}
        named = {
            f"{question}_{name}": value
            for question, one in others.items()
            for name, value in described(one).items()
        }
        return {**described(self.similar), "kept": float(KEPT), **named}


def train(
    interactions: Sequence[Interaction],
    *,
    now: datetime,
    serving: Served | None = None,
    progress: Progress = lambda _step, _share: None,
    dense: bool = True,
) -> Trained:
    """Trained lists of these interactions; `serving` is compared on the visits since it was trained. Without
    `dense` the second model, which takes most memory, is not tried.

    An event from the future counts as one of now.
    """
    usable = [one for one in interactions if one.weight and one.visit]
    products = matrices.catalogue(usable)
    names = list(products)
    people: dict[str, int] = {}
    older, newest = matrices.split(usable)
    past, since = (matrices.deeds(part, products, people, dense=dense) for part in (older, newest))
    recipes = _chosen(past, since, progress)
    tried = neighbours(past, recipes.similar, names)
    progress("fitting", 0.7)
    people = {}
    everything = matrices.deeds(usable, products, people, dense=dense)
    seen, owned = domain.histories(usable)
    lists = Lists(
        similar=neighbours(everything, recipes.similar, names),
        together=neighbours(matrices.purchases(everything), recipes.together, names),
        personal=neighbours(everything, recipes.personal, names),
        trending=domain.trending(usable, now),
        histories=seen,
        tastes=_tastes(everything, recipes.personal, seen, people, products),
        owned=owned,
    )
    return Trained(
        lists=lists,
        parameters=recipes.described(),
        quality=measure(tried, newest, set(names)),
        compared=_compare(tried, serving, newest, set(names)),
    )


def neighbours(deeds: Deeds, recipe: Recipe, names: Sequence[str]) -> Near:
    """Per product what goes with it, the best first; products with nothing are left out."""
    forward = fitting.fit(deeds, recipe).forward
    rows = ((names[row], _scored(forward, row, names)) for row in range(forward.shape[0]))
    return {name: near for name, near in rows if near}


def _scored(forward: sparse.csr_matrix, row: int, names: Sequence[str]) -> list[Scored]:
    start, end = forward.indptr[row], forward.indptr[row + 1]
    order = start + np.lexsort((forward.indices[start:end], -forward.data[start:end]))[:KEPT]
    found = zip(forward.indices[order].tolist(), forward.data[order].tolist(), strict=True)
    return [(names[product], round(score, 6)) for product, score in found if score > 0]


def _chosen(older: Deeds, newest: Deeds, progress: Progress) -> _Recipes:
    progress("tuning what is similar", 0.2)
    similar = questions.chosen(older, matrices.SIMILAR, questions.of_visits(newest))
    progress("tuning what is bought together", 0.4)
    bought, since = matrices.purchases(older), matrices.purchases(newest)
    together = questions.chosen(bought, matrices.TOGETHER, questions.of_visits(since), similar)
    progress("tuning personal lists", 0.55)
    personal = questions.chosen(older, matrices.PERSONAL, questions.of_people(older, newest), similar)
    return _Recipes(similar, together, personal)


def _tastes(
    deeds: Deeds, recipe: Recipe, seen: dict[str, list[str]], people: dict[str, int], products: dict[str, int]
) -> dict[str, list[float]]:
    """How much each thing of a history still says, in the order of `seen`; those of visits alone are left to
    the domain's rule (recency by place)."""
    known = [person for person in seen if person in people]
    owners = np.array([people[person] for person in known], dtype=np.int64)
    weights = histories(
        deeds.pairs("user"), owners, deeds.products, recipe.history_half_life, recipe.strength
    )
    found = {}
    for row, person in enumerate(known):
        mine = slice(weights.indptr[row], weights.indptr[row + 1])
        values = dict(zip(weights.indices[mine].tolist(), weights.data[mine].tolist(), strict=True))
        found[person] = [round(values.get(products[name], 0.0), 4) for name in seen[person]]
    return found


def _compare(
    lists: Near, serving: Served | None, newest: list[Interaction], catalogue: set[str]
) -> Comparison | None:
    """On the newest visits that began after the serving model's training: it has learned from the others."""
    if serving is None:
        return None
    known = {one.visit for one in newest if one.at <= serving.trained_at}
    fresh = [one for one in newest if one.visit not in known]
    return Comparison(measure(lists, fresh, catalogue), measure(serving.lists.similar, fresh, catalogue))
