"""The costs of requests as they were learned, kept over a restart.

Until a service was busy once, nobody knows them, and a step of its load is seen seconds later. They are in a
file beside the journal, of this node's loop alone.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autoscaling.policy import Sample, State, as_plain, begin, of_plain

log = logging.getLogger(__name__)

EVERY = 60.0  # seconds between two writes
OLDEST = 86_400.0  # seconds after which it is learned anew: images and goods change


class Learned:
    """A file that is damaged, too old or cannot be written is said once, and costs are learned anew."""

    def __init__(self, path: Path, *, writes: bool = True) -> None:
        self._path, self._writes = path, writes
        self._costs: dict[str, Any] | None = None
        self._written: float | None = None
        self._failed = False

    def begin(self, service: str, sample: Sample) -> State | None:
        """Return a state that knows what is known of the service, None for nothing."""
        if self._costs is None:
            self._costs = self._read(sample.at)
        plain = self._costs.pop(service, None)
        if plain is None:
            return None
        try:
            return begin(sample, of_plain(plain))
        except ValueError as error:
            log.warning("what requests of %s cost is learned anew: %s", service, error)
            return None

    def keep(self, at: float, states: Mapping[str, Any]) -> None:
        """Write what the states by service know, once in a while."""
        if not self._writes or (self._written is not None and 0 <= at - self._written < EVERY):
            return
        self._written = at
        costs = {name: plain for name, state in states.items() if (plain := as_plain(state)) is not None}
        part = self._path.with_name(f"{self._path.name}.part")
        try:
            part.write_text(json.dumps({"at": at, "costs": (self._costs or {}) | costs}), encoding="utf-8")
            os.replace(part, self._path)
            self._failed = False
        except OSError as error:
            if not self._failed:
                log.warning("what requests cost cannot be kept: %s", error)
            self._failed = True

    def _read(self, now: float) -> dict[str, Any]:
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
            return dict(found["costs"]) if abs(now - float(found["at"])) < OLDEST else {}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("what requests cost is learned anew: %s: %s", self._path.name, error)
            return {}
