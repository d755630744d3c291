"""The methods of `implicit`, one thread each, so that CPU seconds compare."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
from implicit.als import AlternatingLeastSquares
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender
from implicit.utils import ParameterWarning
from scipy import sparse
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from reco.evaluation.methods import CannotRun, Parameters
from reco.evaluation.methods.simple import incidence
from reco.evaluation.protocols import Split

NEIGHBOURS = (100, 20, 50, 200, 500)


class _Implicit:
    nothing = 0.0  # the score at which implicit pads lists with arbitrary products

    def fit(self, split: Split, parameters: Parameters) -> None:
        self._counts = bool(parameters["counts"])
        x = incidence(split, counts=self._counts)
        try:
            with warnings.catch_warnings(), threadpool_limits(1, "blas"):
                # implicit warns about the format of its own matrices.
                warnings.simplefilter("ignore", ParameterWarning)
                self._model = self._make(parameters)
                self._model.fit(x, show_progress=False)
        except (ValueError, IndexError, ZeroDivisionError) as error:
            raise CannotRun(f"implicit: {error}") from error
        self._x = x

    def rank(self, split: Split, n: int) -> np.ndarray:
        asked = self._asked(split)
        n_here = min(n, split.arrays.products)
        options = {"N": n_here, "filter_already_liked_items": True, **self._options(split)}
        ids, scores = self._model.recommend(np.maximum(split.owner, 0), asked, **options)
        ids = np.where((scores > self.nothing) & (ids >= 0), ids, -1)
        return np.pad(ids, ((0, 0), (0, n - n_here)), constant_values=-1).astype(np.int32)

    def _asked(self, split: Split) -> sparse.csr_matrix:
        """Return the history of each query's owner, as it was trained on."""
        if self._counts and (split.owner >= 0).all():
            return self._x[split.owner]
        return split.histories(plain=True)

    def _options(self, split: Split) -> dict[str, Any]:
        return {}

    def _make(self, parameters: Parameters) -> Any:
        raise NotImplementedError


class Cosine(_Implicit):
    def grid(self, validation: Split) -> list[Parameters]:
        return [{"K": k, "counts": False} for k in NEIGHBOURS]

    def _make(self, parameters: Parameters) -> Any:
        return CosineRecommender(K=parameters["K"], num_threads=1)


class BM25(_Implicit):
    def grid(self, validation: Split) -> list[Parameters]:
        return [{"K": k, "counts": counts} for k in NEIGHBOURS for counts in (False, True)]

    def _make(self, parameters: Parameters) -> Any:
        return BM25Recommender(K=parameters["K"], num_threads=1)


class ALS(_Implicit):
    nothing = -1e30

    def grid(self, validation: Split) -> list[Parameters]:
        tried = itertools.product((64, 128), (0.05, 1.0), (1.0, 10.0))
        return [
            {"factors": factors, "regularization": ridge, "alpha": alpha, "counts": False}
            for factors, ridge, alpha in tried
        ]

    def _make(self, parameters: Parameters) -> Any:
        chosen = {name: value for name, value in parameters.items() if name != "counts"}
        return AlternatingLeastSquares(**chosen, iterations=15, num_threads=1, random_state=1)

    def _options(self, split: Split) -> dict[str, Any]:
        return {"recalculate_user": True} if (split.owner < 0).any() else {}
