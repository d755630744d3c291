"""A whole training: choose parameters on a time split, refit on everything, measure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from scipy import sparse

from reco import domain
from reco.domain import Comparison, Interaction, Lists, Quality, Scored, Served
from reco.engine import fitting, matrices, questions
from reco.engine.deeds import DAY, Deeds, Recipe, histories
from reco.engine.quality import compare, measure
from reco.engine.tuning import described, recipe_of

ALGORITHM = "surprise-knn-sparse"
TREND = 7 * DAY  # half-life of what is trending

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
class Recipes:
    """One per question."""

    similar: Recipe
    together: Recipe
    personal: Recipe

    @staticmethod
    def of(parameters: Mapping[str, float]) -> Recipes:
        """Those that `described` tells of, which a training's report has."""
        kinds = {"": matrices.SIMILAR, "together_": matrices.TOGETHER, "personal_": matrices.PERSONAL}
        return Recipes(*(recipe_of(parameters, prefix, kinds[prefix]) for prefix in kinds))

    def described(self) -> dict[str, float]:
        """Those of `similar` by their names, the others' behind the name of their question."""
        others = {"together": self.together, "personal": self.personal}
        named = {
            f"{question}_{name}": value
            for question, one in others.items()
            for name, value in described(one).items()
        }
        return {**described(self.similar), "kept": float(domain.NEIGHBOURS), **named}


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
    usable = _usable(interactions, now)
    products = matrices.catalogue(usable)
    names = list(products)
    people: dict[str, int] = {}
    older, newest = matrices.split(usable)
    past, since = (matrices.deeds(part, products, people, dense=dense) for part in (older, newest))
    recipes = _chosen(past, since, progress)
    tried = neighbours(past, recipes.similar, names)
    progress("fitting", 0.7)
    lists = _lists(usable, recipes, now, dense)
    return Trained(
        lists=lists,
        parameters=recipes.described(),
        quality=measure(tried, newest, set(names)),
        compared=serving and _compare(usable, newest, products, tried, recipes, lists, serving, dense),
    )


def lists_of(
    interactions: Sequence[Interaction], recipes: Recipes, now: datetime, *, dense: bool = True
) -> Lists:
    """Everything that is served, by recipes that are given."""
    return _lists(_usable(interactions, now), recipes, now, dense)


def _lists(usable: Sequence[Interaction], recipes: Recipes, now: datetime, dense: bool) -> Lists:
    products, people = matrices.catalogue(usable), dict[str, int]()
    names = list(products)
    everything = matrices.deeds(usable, products, people, dense=dense)
    seen, owned = domain.histories(usable)
    return Lists(
        similar=neighbours(everything, recipes.similar, names),
        together=neighbours(matrices.purchases(everything), recipes.together, names),
        personal=neighbours(everything, recipes.personal, names),
        trending=trending(everything, names, now),
        histories=seen,
        tastes=_tastes(everything, recipes.personal, seen, people, products),
        owned=owned,
    )


def _usable(interactions: Sequence[Interaction], now: datetime) -> list[Interaction]:
    """Those that say something; what a wrong clock puts into the future is of now, or it would make all else
    old."""
    return [
        one if one.at <= now else replace(one, at=now) for one in interactions if one.weight and one.visit
    ]


def trending(deeds: Deeds, names: Sequence[str], now: datetime) -> list[Scored]:
    """Weighted interest per product, halved every week; the most wanted first. Somebody counts once for a
    product, by the most that they did with it: who looks a thousand times wants it no more than the next."""
    pairs = deeds.pairs("user")
    age = np.maximum(now.timestamp() - pairs.time, 0.0)
    interest = np.bincount(pairs.product, pairs.weight * np.exp2(-age / TREND), deeds.products)
    scored = [(names[place], round(float(interest[place]), 6)) for place in np.unique(pairs.product)]
    return sorted(scored, key=lambda pair: (-pair[1], pair[0]))


def neighbours(deeds: Deeds, recipe: Recipe, names: Sequence[str]) -> Near:
    """Per product what goes with it, the best first; products with nothing are left out."""
    forward = fitting.fit(deeds, recipe).forward
    rows = ((names[row], _scored(forward, row, names)) for row in range(forward.shape[0]))
    return {name: near for name, near in rows if near}


def _scored(forward: sparse.csr_matrix, row: int, names: Sequence[str]) -> list[Scored]:
    start, end = forward.indptr[row], forward.indptr[row + 1]
    # Rounded before they are put in order: the last bits of a sum are no reason to be first.
    scores = forward.data[start:end].astype(np.float64).round(6)
    order = np.lexsort((forward.indices[start:end], -scores))[: domain.NEIGHBOURS]
    found = zip(forward.indices[start + order].tolist(), scores[order].tolist(), strict=True)
    return [(names[product], score) for product, score in found if score > 0]


def _chosen(older: Deeds, newest: Deeds, progress: Progress) -> Recipes:
    """Every fit is told, so that a training is known to live, and can be cancelled."""

    def part(name: str, start: float, end: float) -> Progress:
        progress(name, start)
        return lambda step, share: progress(f"{name}, {step}", start + share * (end - start))

    told = part("tuning what is similar", 0.2, 0.4)
    similar = questions.chosen(older, matrices.SIMILAR, questions.of_visits(newest), progress=told)
    told = part("tuning what is bought together", 0.4, 0.55)
    bought, since = matrices.purchases(older), matrices.purchases(newest)
    together = questions.chosen(bought, matrices.TOGETHER, questions.of_visits(since), similar, told)
    told = part("tuning personal lists", 0.55, 0.7)
    people = questions.of_people(older, newest)
    personal = questions.chosen(older, matrices.PERSONAL, people, similar, told)
    return Recipes(similar, together, personal)


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
    usable: Sequence[Interaction],
    newest: Sequence[Interaction],
    products: dict[str, int],
    tried: Near,
    recipes: Recipes,
    lists: Lists,
    serving: Served,
    dense: bool,
) -> Comparison:
    """On the newest visits that began after the serving model's training, as it has learned from the others.
    So may this one: `tried` knows none of the newest, the comparison's own fit all but the fresh."""
    known = {one.visit for one in newest if one.at <= serving.trained_at}
    fresh = [one for one in newest if one.visit not in known]
    if fresh and known:
        visits = {one.visit for one in fresh}
        before = [one for one in usable if one.visit not in visits]
        tried = neighbours(matrices.deeds(before, products, {}, dense=dense), recipes.similar, list(products))
    found = compare(tried, serving.lists.similar, fresh, set(products))
    kinds = ("similar", "together", "personal")
    counts = ({kind: len(getattr(one, kind)) for kind in kinds} for one in (lists, serving.lists))
    return replace(found, **dict(zip(("candidate_lists", "serving_lists"), counts, strict=True)))
