"""The lifecycle of a training, from the request to its report."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reco.domain.promotion import Comparison, Quality

READING = "reading events"


class TrainingRunning(Exception):
    """Another training is running; only one runs at a time."""


@dataclass(slots=True)
class Training:
    """One run of the trainer. States: queued -> running -> done, failed or cancelled."""

    id: str
    requested_at: datetime
    requested_by: str = "schedule"
    status: str = "queued"
    progress: float = 0.0
    step: str = "waiting for a worker"
    started_at: datetime | None = None
    finished_at: datetime | None = None
    heartbeat_at: datetime | None = None
    events: int = 0
    products: int = 0
    seconds: float = 0.0
    size_bytes: int = 0
    parameters: dict[str, float] = field(default_factory=dict)
    quality: Quality | None = None
    compared: Comparison | None = None
    """With the model that served when it ended; None when none did."""
    model: str | None = None
    promoted: bool = False
    reason: str = ""
    alert: str = ""
    """What staff should look at; empty when all is well."""
    examples: dict[str, list[str]] = field(default_factory=dict)
    """Of what is wanted most, the neighbours: to be looked at by a person."""
    attempt: int = 0
    """How many workers have begun it; one that was taken for lost must not go on beside the next."""
    resumed_at: int = 0
    """How many events were read when a worker was lost; the next one goes on from about there."""
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        return self.status in ("queued", "running")

    @property
    def is_resumable(self) -> bool:
        """Whether another worker may resume it: it is reading, and further than the previous one."""
        return self.step == READING and self.events > self.resumed_at

    def start(self, at: datetime) -> None:
        self._guard("queued", "running")
        self.status, self.started_at, self.heartbeat_at = "running", self.started_at or at, at
        self.attempt += 1
        self.version += 1

    def advance(self, step: str, progress: float, at: datetime) -> None:
        self._guard("running")
        self.step, self.progress, self.heartbeat_at = step, round(progress, 3), at
        self.version += 1

    def record_read(self, events: int, at: datetime) -> None:
        """Record the number of events that have been read and stored."""
        self.advance(READING, self.progress, at)
        self.events = events

    def lose_worker(self, at: datetime) -> None:
        """Handle a lost worker: queue the training again if it made progress, else fail it.

        It resumes after the stored events. Failing keeps an input that kills every worker from being tried
        for ever.
        """
        self._guard("running")
        if not self.is_resumable:
            self.fail(at, "the worker was lost")
            return
        self.status, self.heartbeat_at, self.resumed_at = "queued", at, self.events
        self.step = f"waiting for a worker, to go on after {self.events:,} events"
        self.version += 1

    def finish(self, at: datetime, *, model: str, promoted: bool, reason: str) -> None:
        self._guard("running")
        self.status, self.progress, self.step = "done", 1.0, "done"
        self._end(at)
        self.model, self.promoted, self.reason = model, promoted, reason

    def fail(self, at: datetime, reason: str) -> None:
        if not self.open:
            return
        self.status, self.reason = "failed", reason
        self._end(at)

    def cancel(self, at: datetime) -> None:
        """Cancel it; its worker stops at its next step. Repeating changes nothing."""
        if self.status == "cancelled":
            return
        self._guard("queued", "running")
        self.status, self.reason = "cancelled", "cancelled by staff"
        self._end(at)

    def _end(self, at: datetime) -> None:
        self.finished_at = at
        self.seconds = round((at - (self.started_at or at)).total_seconds(), 3)
        self.version += 1

    def _guard(self, *states: str) -> None:
        if self.status not in states:
            raise ValueError(f"a training that is {self.status} cannot go on")
