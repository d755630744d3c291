"""The engine of the service: reco.engine."""

from __future__ import annotations

import numpy as np

from reco.engine import hyperparameter_search, model_fit
from reco.engine.interactions import Hyperparameters
from reco.engine.metrics import measure
from reco.engine.validation_queries import MAX_INTERACTIONS
from reco.evaluation.methods import Parameters
from reco.evaluation.protocols import SEED, Split

# The kinds of owners of each protocol with their initial weights; queries are about the first kind.
KINDS = {
    "user": (("user", 1.0), ("basket", 0.0), ("session", 0.0)),
    "basket": (("basket", 1.0), ("user", 0.25)),
    "session": (("session", 1.0), ("user", 0.25)),
}
MAX_QUERIES = 4000


class Ours:
    def grid(self, validation: Split) -> list[Parameters]:
        return [{"recipe": tuned(validation)}]

    def fit(self, split: Split, parameters: Parameters) -> None:
        self._params = parse_hyperparameters(parameters["recipe"])
        self._fitted = model_fit.fit(split.arrays, self._params)

    def rank(self, split: Split, n: int) -> np.ndarray:
        histories = split.histories(self._params.history_half_life, self._params.strength)
        return self._fitted.rank(histories, histories, n)[0]


def tuned(validation: Split) -> Parameters:
    """Select the hyperparameters on the validation split, as plain values."""
    arrays = validation.arrays.newest(validation.kind, MAX_INTERACTIONS)
    begin = hyperparameter_search.start(arrays, KINDS[validation.kind])
    if not validation.queries:
        return plain(begin)
    draw = np.random.default_rng(SEED)
    count = min(validation.queries, MAX_QUERIES)
    asked = validation.some(np.sort(draw.choice(validation.queries, count, replace=False)))
    known = len(np.unique(arrays.product))

    def score(params: Hyperparameters) -> float:
        histories = asked.histories(params.history_half_life, params.strength)
        lists, _ = model_fit.fit(arrays, params).rank(histories, histories, 10)
        return measure(lists, asked.targets, known).ndcg

    return plain(hyperparameter_search.tune(begin, arrays, score))


def plain(params: Hyperparameters) -> Parameters:
    return {name: getattr(params, name) for name in Hyperparameters.__slots__}


def parse_hyperparameters(values: Parameters) -> Hyperparameters:
    kinds = tuple((str(kind), float(share)) for kind, share in values["kinds"])
    return Hyperparameters(**{**values, "kinds": kinds})
