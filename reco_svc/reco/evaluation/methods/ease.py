"""EASE^R (Steck 2019), dense as published."""

from __future__ import annotations

import numpy as np

from reco.engine.ease import closed_form
from reco.evaluation.methods import CannotRun, Parameters, require_memory
from reco.evaluation.methods.simple import incidence, top
from reco.evaluation.protocols import Split

MAX_PRODUCTS = 20_000  # products


class Ease:
    def grid(self, validation: Split) -> list[Parameters]:
        return [{"ridge": ridge} for ridge in (400.0, 50.0, 100.0, 200.0, 800.0, 1600.0)]

    def fit(self, split: Split, parameters: Parameters) -> None:
        products = split.arrays.products
        if products > MAX_PRODUCTS:
            raise CannotRun(f"EASE^R is dense: {products} products are more than {MAX_PRODUCTS}")
        require_memory(3.2 * 8 * products**2, "EASE^R")
        self._weights = closed_form(incidence(split), parameters["ridge"])

    def rank(self, split: Split, n: int) -> np.ndarray:
        asked = split.histories(plain=True)
        lists = [
            top(asked[start : start + 256] @ self._weights, asked, start, n)
            for start in range(0, split.queries, 256)
        ]
        return np.concatenate(lists)
