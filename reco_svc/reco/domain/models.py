"""Trained models, the serving state, and erasure requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reco.domain.promotion import Quality

MAX_MODELS = 3  # the serving one and previous ones, which can be restored
MAX_REFUSED = 2  # trained but not promoted models, for inspection


class TrainingAbandoned(Exception):
    """The training was cancelled or lost: its model may not be promoted."""


@dataclass(slots=True)
class Model:
    """A trained model; its lists are an attachment."""

    id: str
    algorithm: str
    trained_at: datetime
    parameters: dict[str, float] = field(default_factory=dict)
    quality: Quality | None = None
    products: int = 0
    file: str = ""
    """The name of its file, by its content (reco.model_files)."""
    learned_to: str | None = None
    """The checkpoint of logs up to which it has learned; what is live begins there."""
    forgotten_to: datetime | None = None
    """Until when it has left out what people wanted forgotten; whoever wanted it later is looked up."""
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Serving:
    """The document that names the served model, the previous ones, and the running training.

    A model's id is its training's. Promoting and cancelling both write this document, so that only one can
    win.
    """

    id: str = "main"
    model: str | None = None
    previous: list[str] = field(default_factory=list)
    training: str | None = None
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def promote(self, model: str, *, of: str) -> None:
        """Serve this model of training `of`.

        Raises TrainingAbandoned if that training was cancelled or lost.
        """
        if self.training != of:
            raise TrainingAbandoned(of)
        self._serve(model)

    def release_slot(self, training: str) -> None:
        """Refuse promotion to this training from now on; raises ValueError if its model serves already."""
        if self.model == training:
            raise ValueError("its model serves already")
        if self.training == training:
            self.training = None
            self.version += 1

    def roll_back(self, model: str) -> None:
        """Serve this model at a person's request; raises ValueError if it serves already."""
        if model == self.model:
            raise ValueError("it serves already")
        self._serve(model)

    @property
    def kept(self) -> set[str]:
        """The models that serve or can be restored."""
        return {*self.previous, *([self.model] if self.model else [])}

    def _serve(self, model: str) -> None:
        older = [name for name in (self.model, *self.previous) if name not in (None, model)]
        self.model, self.previous = model, [name for name in older if name][: MAX_MODELS - 1]
        self.version += 1


@dataclass(slots=True)
class ErasureRequest:
    """A request of a person (`user:…` or `session:…`) to forget what they did before `at`.

    `at` is the time at which the request arrived here. The id is a hash of the person, since callers choose
    the name of a session.
    """

    id: str
    person: str
    at: datetime
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
