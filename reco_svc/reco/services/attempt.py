"""One worker's attempt at a training: it reports progress, and stops if it may not continue."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from chassis.couch import Repository
from reco.domain import Amount, Training
from reco.memory_budget import MemoryBudget

PROGRESS_INTERVAL = 1.0  # seconds


class Attempt:
    """An attempt whose every step raises ValueError if the training was cancelled or taken over.

    A worker that was taken for lost must not write beside the worker that followed it.
    """

    def __init__(
        self,
        *,
        training: Training,
        trainings: Repository[Training],
        budget: MemoryBudget,
        clock: Callable[[], datetime],
        tick: Callable[[], float] = time.monotonic,
    ) -> None:
        self.id, self._number = training.id, training.attempt
        self._trainings, self._budget, self._clock = trainings, budget, clock
        self._tick, self._step, self._reported_at = tick, "", 0.0
        self.dense = False
        """Whether there is room for matrices of products x products; known after the reading."""

    def progress(self, step: str, share: float) -> None:
        """Store the progress; parts of a step ("tuning, step 3 of 20") at most once a second."""
        name, now = step.partition(",")[0], self._tick()
        if name == self._step and now - self._reported_at < PROGRESS_INTERVAL:
            return
        self._step, self._reported_at = name, now
        self.change(lambda training: training.advance(step, share, self._clock()))

    def record_read(self, amount: Amount) -> None:
        """Store how much was read; raises TooLarge as soon as it exceeds the memory budget."""
        self.change(lambda training: training.record_read(amount.events, self._clock()))
        self._budget.check(amount)
        self.dense = self._budget.fits_dense(amount)

    def change(self, change: Callable[[Training], None]) -> Training:
        def guarded(training: Training) -> None:
            if training.attempt != self._number:
                raise ValueError("another worker has gone on with it")
            change(training)

        return self._trainings.update(self.id, guarded)
