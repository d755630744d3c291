"""Trained models: what is kept of them, which one serves, and who wanted to be forgotten."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reco.domain.promotion import Quality

KEPT_MODELS = 3  # the serving one and those before it, which can be put back
KEPT_REFUSED = 2  # that were trained and not promoted: to be looked at


class GivenUp(Exception):
    """The training has lost its place: nothing of it may be promoted."""


@dataclass(slots=True)
class Model:
    """What is kept of a trained model beside its lists (an attachment)."""

    id: str
    algorithm: str
    trained_at: datetime
    parameters: dict[str, float] = field(default_factory=dict)
    quality: Quality | None = None
    products: int = 0
    file: str = ""
    """The name of its file, by its content (reco.files)."""
    learned_to: str | None = None
    """The checkpoint of logs up to which it has learned; what is live begins there."""
    forgotten_to: datetime | None = None
    """Until when it has left out what people wanted forgotten; whoever wanted it later is looked up."""
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Serving:
    """The one document that says which model is served, which can be put back, and who trains.

    A model's id is its training's. Promoting and cancelling both write here, so that only one can win.
    """

    id: str = "main"
    model: str | None = None
    previous: list[str] = field(default_factory=list)
    training: str | None = None
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def promote(self, model: str, *, of: str) -> None:
        """Serve this model of training `of` from now on; `GivenUp` when that one has lost its place, because
        it was cancelled or its worker was taken for lost."""
        if self.training != of:
            raise GivenUp(of)
        self._serve(model)

    def give_up(self, training: str) -> None:
        """Whatever this training still does, its model is not promoted; ValueError when it serves already."""
        if self.model == training:
            raise ValueError("its model serves already")
        if self.training == training:
            self.training = None
            self.version += 1

    def put_back(self, model: str) -> None:
        """Serve this one, because a person wants it; ValueError when it does already."""
        if model == self.model:
            raise ValueError("it serves already")
        self._serve(model)

    @property
    def kept(self) -> set[str]:
        """The models that serve or may be put back."""
        return {*self.previous, *([self.model] if self.model else [])}

    def _serve(self, model: str) -> None:
        older = [name for name in (self.model, *self.previous) if name not in (None, model)]
        self.model, self.previous = model, [name for name in older if name][: KEPT_MODELS - 1]
        self.version += 1


@dataclass(slots=True)
class Forgotten:
    """Somebody (`user:…` or `session:…`) wanted what they did before `at`, when it was heard here, forgotten.
    The id is a hash of who, since a session is named by whoever calls."""

    id: str
    person: str
    at: datetime
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
