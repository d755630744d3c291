"""The engine of the service: reco.engine."""

from __future__ import annotations

import numpy as np

from reco.engine import fitting, tuning
from reco.engine.deeds import Recipe
from reco.engine.measuring import measure
from reco.engine.questions import MOST_DEEDS
from reco.evaluation.methods import Parameters
from reco.evaluation.protocols import SEED, Split

# Of each protocol's owners: the ones asked about first, others beside them with the share to begin with.
KINDS = {
    "user": (("user", 1.0), ("basket", 0.0), ("session", 0.0)),
    "basket": (("basket", 1.0), ("user", 0.25)),
    "session": (("session", 1.0), ("user", 0.25)),
}
MOST_QUESTIONS = 4000


class Ours:
    def grid(self, validation: Split) -> list[Parameters]:
        return [{"recipe": tuned(validation)}]

    def fit(self, split: Split, parameters: Parameters) -> None:
        self._recipe = recipe_of(parameters["recipe"])
        self._fitted = fitting.fit(split.deeds, self._recipe)

    def rank(self, split: Split, n: int) -> np.ndarray:
        histories = split.histories(self._recipe.history_half_life, self._recipe.strength)
        return self._fitted.rank(histories, histories, n)[0]


def tuned(validation: Split) -> Parameters:
    """The recipe that the validation split likes best, as plain values."""
    deeds = validation.deeds.newest(validation.kind, MOST_DEEDS)
    begin = tuning.start(deeds, KINDS[validation.kind])
    if not validation.questions:
        return plain(begin)
    draw = np.random.default_rng(SEED)
    count = min(validation.questions, MOST_QUESTIONS)
    asked = validation.some(np.sort(draw.choice(validation.questions, count, replace=False)))
    known = len(np.unique(deeds.product))

    def score(recipe: Recipe) -> float:
        histories = asked.histories(recipe.history_half_life, recipe.strength)
        lists, _ = fitting.fit(deeds, recipe).rank(histories, histories, 10)
        return measure(lists, asked.targets, known).ndcg

    return plain(tuning.tune(begin, deeds, score))


def plain(recipe: Recipe) -> Parameters:
    return {name: getattr(recipe, name) for name in Recipe.__slots__}


def recipe_of(values: Parameters) -> Recipe:
    kinds = tuple((str(kind), float(share)) for kind, share in values["kinds"])
    return Recipe(**{**values, "kinds": kinds})
