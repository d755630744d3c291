"""One worker's try at a training: it tells how far it is, and stops where it may not go on."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from chassis.couch import Repository
from reco.domain import Amount, Training
from reco.memory import Room

EVERY = 1.0  # seconds


class Attempt:
    """Every step raises ValueError when the training was cancelled, or when this worker was taken for lost
    and another one has begun: its writes would come between the other's."""

    def __init__(
        self,
        *,
        training: Training,
        trainings: Repository[Training],
        room: Room,
        clock: Callable[[], datetime],
        tick: Callable[[], float] = time.monotonic,
    ) -> None:
        self.id, self._number = training.id, training.attempt
        self._trainings, self._room, self._clock = trainings, room, clock
        self._tick, self._step, self._told = tick, "", 0.0
        self.dense = False
        """Whether there is room for matrices of products x products; known after the reading."""

    def progress(self, step: str, share: float) -> None:
        """Parts of a step ("tuning, step 3 of 20") are told a second apart."""
        name, now = step.partition(",")[0], self._tick()
        if name == self._step and now - self._told < EVERY:
            return
        self._step, self._told = name, now
        self.change(lambda training: training.advance(step, share, self._clock()))

    def read_on(self, amount: Amount) -> None:
        """Raises TooLarge as soon as so much cannot be learned from in the memory that there is."""
        self.change(lambda training: training.read_on(amount.events, self._clock()))
        self._room.check(amount)
        self.dense = self._room.for_dense(amount)

    def change(self, change: Callable[[Training], None]) -> Training:
        def guarded(training: Training) -> None:
            if training.attempt != self._number:
                raise ValueError("another worker has gone on with it")
            change(training)

        return self._trainings.update(self.id, guarded)
