"""The compared methods; each imports its own library, so that a peak of memory is its own."""

from __future__ import annotations

import importlib
from typing import Any, Protocol

import numpy as np

from reco.evaluation.protocols import Split

Parameters = dict[str, Any]


class CannotRun(Exception):
    """The method cannot process this data: it is too large, or a library is missing."""


class Method(Protocol):
    def grid(self, validation: Split) -> list[Parameters]:
        """Return the parameters to try; the first ones are used without a validation split."""
        ...

    def fit(self, split: Split, parameters: Parameters) -> None: ...

    def rank(self, split: Split, n: int) -> np.ndarray:
        """Return the lists of the queries, shape (queries, n), -1 for no product.

        There are fewer rows if its time was up: the first queries are the ones answered.
        """
        ...


_MODULES = {
    "popularity": "simple:Popularity",
    "counts": "simple:Counts",
    "ours": "ours:Ours",
    "surprise": "stock:Stock",
    "cosine": "implicits:Cosine",
    "bm25": "implicits:BM25",
    "als": "implicits:ALS",
    "ease": "ease:Ease",
}
NAMES = tuple(_MODULES)


def method(name: str) -> Method:
    module, cls = _MODULES[name].split(":")
    try:
        made: Method = getattr(importlib.import_module(f"reco.evaluation.methods.{module}"), cls)()
    except ImportError as error:
        raise CannotRun(f"{error}; `make .venv/.science` installs it") from error
    return made


def require_memory(needed: float, what: str) -> None:
    """Raise CannotRun if this many bytes are not free."""
    with open("/proc/meminfo") as lines:
        free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    if needed > 0.9 * free:
        raise CannotRun(f"{what} needs {needed / 1e9:.1f} GB, {free / 1e9:.1f} GB are free")
