"""A complete training: select hyperparameters on a time split, refit on all data, measure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from scipy import sparse

from reco import domain
from reco.domain import Comparison, Interaction, Lists, Quality, Scored, ServedModel
from reco.engine import matrices, model_fit, validation_queries
from reco.engine.hyperparameter_search import parse_hyperparameters, to_parameters
from reco.engine.interactions import DAY, Hyperparameters, InteractionArrays, histories
from reco.engine.quality import compare, measure

ALGORITHM = "surprise-knn-sparse"
TREND = 7 * DAY  # half-life of what is trending

Progress = Callable[[str, float], None]
Near = dict[str, list[Scored]]


@dataclass(frozen=True, slots=True)
class TrainingResult:
    lists: Lists
    parameters: dict[str, float]
    quality: Quality
    compared: Comparison | None
    algorithm: str = ALGORITHM


@dataclass(frozen=True, slots=True)
class HyperparameterSet:
    """The hyperparameters of each kind of list."""

    similar: Hyperparameters
    together: Hyperparameters
    personal: Hyperparameters

    @staticmethod
    def of(parameters: Mapping[str, float]) -> HyperparameterSet:
        """Read the hyperparameters of a training's report, as `to_parameters` wrote them."""
        kinds = {"": matrices.SIMILAR, "together_": matrices.TOGETHER, "personal_": matrices.PERSONAL}
        return HyperparameterSet(
            *(parse_hyperparameters(parameters, prefix, kinds[prefix]) for prefix in kinds)
        )

    def to_parameters(self) -> dict[str, float]:
        """Return all parameters by name; those of the other lists have a prefix."""
        others = {"together": self.together, "personal": self.personal}
        named = {
            f"{question}_{name}": value
            for question, one in others.items()
            for name, value in to_parameters(one).items()
        }
        return {**to_parameters(self.similar), "kept": float(domain.NEIGHBOURS), **named}


def train(
    interactions: Sequence[Interaction],
    *,
    now: datetime,
    serving: ServedModel | None = None,
    progress: Progress = lambda _step, _share: None,
    dense: bool = True,
) -> TrainingResult:
    """Train the lists of these interactions; `serving` is compared on visits since its training.

    Without `dense` the second model, which takes most memory, is not tried. A future event counts as one of
    now.
    """
    usable = _usable(interactions, now)
    products = matrices.catalogue(usable)
    names = list(products)
    people: dict[str, int] = {}
    older, newest = matrices.split(usable)
    past, since = (matrices.to_arrays(part, products, people, dense=dense) for part in (older, newest))
    hyperparameters = _chosen(past, since, progress)
    tried = neighbours(past, hyperparameters.similar, names)
    progress("fitting", 0.7)
    lists = _lists(usable, hyperparameters, now, dense)
    return TrainingResult(
        lists=lists,
        parameters=hyperparameters.to_parameters(),
        quality=measure(tried, newest, set(names)),
        compared=serving
        and _compare(usable, newest, products, tried, hyperparameters, lists, serving, dense),
    )


def lists_of(
    interactions: Sequence[Interaction],
    hyperparameters: HyperparameterSet,
    now: datetime,
    *,
    dense: bool = True,
) -> Lists:
    """Compute all lists with given hyperparameters."""
    return _lists(_usable(interactions, now), hyperparameters, now, dense)


def _lists(
    usable: Sequence[Interaction], hyperparameters: HyperparameterSet, now: datetime, dense: bool
) -> Lists:
    products, people = matrices.catalogue(usable), dict[str, int]()
    names = list(products)
    everything = matrices.to_arrays(usable, products, people, dense=dense)
    seen, owned = domain.histories(usable)
    return Lists(
        similar=neighbours(everything, hyperparameters.similar, names),
        together=neighbours(matrices.purchases(everything), hyperparameters.together, names),
        personal=neighbours(everything, hyperparameters.personal, names),
        trending=trending(everything, names, now),
        histories=seen,
        tastes=_tastes(everything, hyperparameters.personal, seen, people, products),
        owned=owned,
    )


def _usable(interactions: Sequence[Interaction], now: datetime) -> list[Interaction]:
    """Return the interactions with weight; future ones count as of now, or they would age all others."""
    return [
        one if one.at <= now else replace(one, at=now) for one in interactions if one.weight and one.visit
    ]


def trending(arrays: InteractionArrays, names: Sequence[str], now: datetime) -> list[Scored]:
    """Return the weighted interest per product, halved every week, the highest first.

    A person counts once for a product, by their strongest interaction: who looks a thousand times wants it no
    more than the next.
    """
    pairs = arrays.pairs("user")
    age = np.maximum(now.timestamp() - pairs.time, 0.0)
    interest = np.bincount(pairs.product, pairs.weight * np.exp2(-age / TREND), arrays.products)
    scored = [(names[place], round(float(interest[place]), 6)) for place in np.unique(pairs.product)]
    return sorted(scored, key=lambda pair: (-pair[1], pair[0]))


def neighbours(arrays: InteractionArrays, params: Hyperparameters, names: Sequence[str]) -> Near:
    """Return the neighbours of each product, the best first; products without any are left out."""
    forward = model_fit.fit(arrays, params).forward
    rows = ((names[row], _scored(forward, row, names)) for row in range(forward.shape[0]))
    return {name: near for name, near in rows if near}


def _scored(forward: sparse.csr_matrix, row: int, names: Sequence[str]) -> list[Scored]:
    start, end = forward.indptr[row], forward.indptr[row + 1]
    # Rounded before sorting, so that the last bits of a sum do not decide the order.
    scores = forward.data[start:end].astype(np.float64).round(6)
    order = np.lexsort((forward.indices[start:end], -scores))[: domain.NEIGHBOURS]
    found = zip(forward.indices[start + order].tolist(), scores[order].tolist(), strict=True)
    return [(names[product], score) for product, score in found if score > 0]


def _chosen(older: InteractionArrays, newest: InteractionArrays, progress: Progress) -> HyperparameterSet:
    """Select the hyperparameters; every fit reports progress, and can be cancelled there."""

    def part(name: str, start: float, end: float) -> Progress:
        progress(name, start)
        return lambda step, share: progress(f"{name}, {step}", start + share * (end - start))

    report = part("tuning what is similar", 0.2, 0.4)
    similar = validation_queries.select_hyperparameters(
        older, matrices.SIMILAR, validation_queries.of_visits(newest), progress=report
    )
    report = part("tuning what is bought together", 0.4, 0.55)
    bought, since = matrices.purchases(older), matrices.purchases(newest)
    together = validation_queries.select_hyperparameters(
        bought, matrices.TOGETHER, validation_queries.of_visits(since), similar, report
    )
    report = part("tuning personal lists", 0.55, 0.7)
    people = validation_queries.of_people(older, newest)
    personal = validation_queries.select_hyperparameters(older, matrices.PERSONAL, people, similar, report)
    return HyperparameterSet(similar, together, personal)


def _tastes(
    arrays: InteractionArrays,
    params: Hyperparameters,
    seen: dict[str, list[str]],
    people: dict[str, int],
    products: dict[str, int],
) -> dict[str, list[float]]:
    """Return the weight of each product of a history, in the order of `seen`.

    Histories of visits alone are left to the domain's rule (recency by place).
    """
    known = [person for person in seen if person in people]
    owners = np.array([people[person] for person in known], dtype=np.int64)
    weights = histories(
        arrays.pairs("user"), owners, arrays.products, params.history_half_life, params.strength
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
    hyperparameters: HyperparameterSet,
    lists: Lists,
    serving: ServedModel,
    dense: bool,
) -> Comparison:
    """Compare on the newest visits that began after the serving model's training.

    It has learned from the others, so this one may too: `tried` knows none of the newest, the comparison's
    own fit all but the fresh ones.
    """
    known = {one.visit for one in newest if one.at <= serving.trained_at}
    fresh = [one for one in newest if one.visit not in known]
    if fresh and known:
        visits = {one.visit for one in fresh}
        before = [one for one in usable if one.visit not in visits]
        tried = neighbours(
            matrices.to_arrays(before, products, {}, dense=dense), hyperparameters.similar, list(products)
        )
    found = compare(tried, serving.lists.similar, fresh, set(products))
    kinds = ("similar", "together", "personal")
    counts = ({kind: len(getattr(one, kind)) for kind in kinds} for one in (lists, serving.lists))
    return replace(found, **dict(zip(("candidate_lists", "serving_lists"), counts, strict=True)))
