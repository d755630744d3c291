"""Trainings: asked for, one at a time, measured, and promoted only when not worse."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from chassis.couch import CouchError, NotFound, Page, Repository, every
from reco import files, packing
from reco.domain import (
    READING,
    Comparison,
    Forgotten,
    GivenUp,
    Interaction,
    Lists,
    Model,
    Quality,
    Served,
    Training,
    TrainingRunning,
    may_promote,
    quality_alert,
)
from reco.memory import Memory
from reco.services.attempt import Attempt
from reco.services.keeping import Keeping
from reco.services.reading import Reading

log = logging.getLogger(__name__)

STUCK = timedelta(minutes=10)


class Trained(Protocol):
    """What the engine answers (reco.engine.trainer.Trained), without importing it."""

    lists: Lists
    parameters: dict[str, float]
    quality: Quality
    compared: Comparison | None
    algorithm: str


class Trainer(Protocol):
    def __call__(
        self,
        interactions: Sequence[Interaction],
        *,
        now: datetime,
        serving: Served | None,
        progress: Callable[[str, float], None],
        dense: bool,
    ) -> Trained: ...


class Trainings:
    def __init__(
        self,
        *,
        trainings: Repository[Training],
        keeping: Keeping,
        forgotten: Repository[Forgotten],
        reading: Reading,
        trainer: Trainer,
        memory: Memory,
        send: Callable[[str], bool],
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._trainings, self._keeping, self._forgotten = trainings, keeping, forgotten
        self._reading, self._trainer, self._send = reading, trainer, send
        self._memory = memory
        self._clock, self._new_id = clock, new_id

    def training_request(self, *, requested_by: str) -> Training:
        """Queue a training; while one waits or runs, that one is answered (its id is the same)."""
        wanted = Training(id=self._new_id(), requested_at=self._clock(), requested_by=requested_by)
        self._trainings.add(wanted)
        try:
            self._keeping.take_place(wanted.id, self._is_open)
        except TrainingRunning as running:
            self._trainings.delete(wanted)
            return self._trainings.get(str(running))
        self._send(wanted.id)
        return wanted

    def training_list(self, *, limit: int, cursor: str | None) -> Page[Training]:
        return self._trainings.find("by_time", descending=True, limit=limit, cursor=cursor)

    def training_get(self, training_id: str) -> Training:
        return self._trainings.get(training_id)

    def training_history(self, until: Training, *, limit: int = 30) -> list[Training]:
        """Those that were measured, the oldest first, up to this one."""
        end = until.requested_at + timedelta(milliseconds=1)
        found = self._trainings.find("by_time", descending=True, limit=limit, end=end).items
        return [training for training in reversed(found) if training.quality is not None]

    def training_run(self, training_id: str) -> Training:
        """Runs a queued training to its end; repeated calls of a finished one change nothing."""
        training = self._trainings.get(training_id)
        if training.status != "queued":
            return training
        try:
            self._keeping.take_place(
                training_id, self._is_open
            )  # again: who asked for it may have died before
        except TrainingRunning as running:
            reason = f"another training runs: {running}"
            return self._trainings.update(training_id, lambda t: t.fail(self._clock(), reason))
        training = self._trainings.update(training_id, lambda t: t.start(self._clock()))
        try:
            with self._memory.capped() as room:
                attempt = Attempt(training=training, trainings=self._trainings, room=room, clock=self._clock)
                return self._run(attempt)
        except GivenUp:
            return self._trainings.get(training_id)  # whoever took its place away says what became of it
        except Exception as error:
            now = self._trainings.get(training_id)
            if now.status == "cancelled" or now.attempt != training.attempt:
                return now
            log.exception("training failed", extra={"training": training_id})
            reason = f"{type(error).__name__}: {error}"[:500]
            return self._trainings.update(training_id, lambda t: t.fail(self._clock(), reason))
        finally:
            self._sweep_models()

    def training_cancel(self, training_id: str) -> Training:
        """Stop it; ValueError when it has ended or serves already. Another may be asked for at once."""
        self._trainings.get(training_id)
        self._keeping.give_up(training_id)
        return self._trainings.update(training_id, lambda t: t.cancel(self._clock()))

    def training_sweep(self) -> int:
        """Sends waiting trainings to a worker again and fails those whose worker has gone; how many."""
        now, swept = self._clock(), 0
        for status in ("queued", "running"):
            for training in self._trainings.find("by_status", {"status": status}, limit=50).items:
                swept += self._sweep(training, now)
        return swept

    def model_sweep(self) -> int:
        """Deletes models that nobody needs any more; how many."""
        return self._keeping.sweep()

    def model_put_back(self, model_id: str) -> None:
        """Serve an older model that is still kept."""
        self._keeping.put_back(model_id)

    def lists(self, model_id: str) -> Lists:
        return self._keeping.lists(model_id)

    def _sweep_models(self) -> None:
        try:
            self._keeping.sweep()
        except CouchError:
            log.exception("models that nobody needs are left for the next sweep")

    def _is_open(self, training_id: str) -> bool:
        try:
            return self._trainings.get(training_id).open
        except NotFound:
            return False

    def _sweep(self, training: Training, now: datetime) -> int:
        since = training.heartbeat_at or training.requested_at
        if training.status == "queued" and now - since > timedelta(seconds=10):
            self._send(training.id)
            return 1
        if training.status == "running" and now - since > STUCK:
            return self._lost(training, now)
        return 0

    def _lost(self, seen: Training, now: datetime) -> int:
        """Its worker has gone, unless it has said something since it was `seen`."""

        def lose(training: Training) -> None:
            if training.version != seen.version:
                return
            if serves:
                training.finish(
                    now, model=seen.id, promoted=True, reason="promoted; then the worker went away"
                )
            else:
                training.lose_worker(now)

        serves = False
        if not seen.may_go_on:
            try:
                self._keeping.give_up(seen.id)
            except ValueError:
                serves = True
        self._trainings.update(seen.id, lose)
        return 1

    def _run(self, attempt: Attempt) -> Training:
        attempt.progress(READING, 0.05)
        since = self._clock()  # who wants it forgotten from now on may not be left out by this training
        interactions = self._read(attempt)
        try:
            return self._learn(attempt, interactions, since)
        finally:
            self._reading.throw_away()

    def _read(self, attempt: Attempt) -> list[Interaction]:
        forgotten = self._when_forgotten()
        found = [one for one in self._reading.read(attempt.read_on) if not _is_forgotten(one, forgotten)]
        if not found:
            raise ValueError("no events to learn from")
        return found

    def _learn(
        self, attempt: Attempt, interactions: Sequence[Interaction], forgotten_to: datetime
    ) -> Training:
        trained = self._trainer(
            interactions,
            now=self._clock(),
            serving=self._keeping.serving_now(),
            progress=attempt.progress,
            dense=attempt.dense,
        )
        attempt.progress("keeping the model", 0.95)
        packed = packing.pack(trained.lists)
        model = self._keep(attempt.id, trained, packed, forgotten_to)
        promoted, reason = may_promote(trained.compared, serves=self._keeping.serves())
        if promoted:
            self._keeping.promote(model.id)

        alert = quality_alert(trained.quality, self._qualities_before())
        if alert:
            log.error("quality of recommendations fell", extra={"alarm": "quality", "reason": alert})

        def finish(t: Training) -> None:
            t.alert, t.examples, t.compared = alert, _examples(trained.lists), trained.compared
            t.events, t.products = len(interactions), len(trained.lists.similar)
            t.parameters, t.quality, t.size_bytes = trained.parameters, trained.quality, len(packed)
            t.finish(self._clock(), model=model.id, promoted=promoted, reason=reason)

        return attempt.change(finish)

    def _qualities_before(self) -> list[Quality]:
        newest = self._trainings.find("by_time", descending=True, limit=8).items
        return [one.quality for one in newest if one.quality is not None]

    def _when_forgotten(self) -> dict[str, datetime]:
        return {one.person: one.at for one in every(self._forgotten.find, "by_time")}

    def _keep(self, training_id: str, trained: Trained, packed: bytes, forgotten_to: datetime) -> Model:
        model = Model(
            id=training_id,
            algorithm=trained.algorithm,
            trained_at=self._clock(),
            parameters=trained.parameters,
            quality=trained.quality,
            products=len(trained.lists.similar),
            file=files.name_of(packed),
            learned_to=self._reading.checkpoint,
            forgotten_to=forgotten_to,
        )
        return self._keeping.keep(model, packed)


def _examples(lists: Lists) -> dict[str, list[str]]:
    return {
        product: [other for other, _ in lists.similar.get(product, [])[:5]]
        for product, _ in lists.trending[:5]
    }


def _is_forgotten(one: Interaction, forgotten: dict[str, datetime]) -> bool:
    """Whether whose it was has wanted it forgotten, as this account or in this session."""
    who = (f"user:{one.user}" if one.user else "", f"session:{one.session}" if one.session else "")
    return any(person in forgotten and one.at <= forgotten[person] for person in who)
