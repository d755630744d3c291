"""Trained models: what is kept of them, which one serves, and who wanted to be forgotten."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reco.domain.promotion import Quality

KEPT_MODELS = 3


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
    """The name of its file, by its content (reco.files); "" for one of before there were such files."""
    learned_to: str | None = None
    """The checkpoint of logs up to which it has learned; what is live begins there."""
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Serving:
    """The one document that says which model is served, which can be put back, and who trains."""

    id: str = "main"
    model: str | None = None
    previous: list[str] = field(default_factory=list)
    training: str | None = None
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def promote(self, model: str) -> list[str]:
        """Serve this model from now on; answers the models that nobody needs any more."""
        older = ([self.model] if self.model else []) + [name for name in self.previous if name != model]
        self.model, self.previous = model, older[: KEPT_MODELS - 1]
        self.version += 1
        return older[KEPT_MODELS - 1 :]

    def put_back(self, model: str) -> None:
        if model not in self.previous:
            raise ValueError("only a model that is still kept can be put back")
        self.previous.remove(model)
        self.promote(model)


@dataclass(slots=True)
class Forgotten:
    """Somebody (`user:…` or `session:…`) wanted what they did before `at` forgotten. The id is a hash of
    who, since a session is named by whoever calls."""

    id: str
    person: str
    at: datetime
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
