"""Trainings: requested, run one at a time, measured, and promoted only if not worse."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from chassis.couch import CouchError, NotFound, Page, Repository, iter_all
from reco import model_codec, model_files
from reco.domain import (
    READING,
    Comparison,
    ErasureRequest,
    Interaction,
    Lists,
    Model,
    Quality,
    ServedModel,
    Training,
    TrainingAbandoned,
    TrainingRunning,
    may_promote,
    quality_alert,
)
from reco.memory_budget import MemoryLimit
from reco.services.attempt import Attempt
from reco.services.history_loader import HistoryLoader
from reco.services.model_registry import ModelRegistry

log = logging.getLogger(__name__)

HEARTBEAT_TIMEOUT = timedelta(minutes=10)


class TrainingResult(Protocol):
    """The trainer's result (`reco.engine.trainer.TrainingResult`), without importing it."""

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
        serving: ServedModel | None,
        progress: Callable[[str, float], None],
        dense: bool,
    ) -> TrainingResult: ...


class Trainings:
    def __init__(
        self,
        *,
        trainings: Repository[Training],
        registry: ModelRegistry,
        forgotten: Repository[ErasureRequest],
        history_loader: HistoryLoader,
        trainer: Trainer,
        memory: MemoryLimit,
        send: Callable[[str], bool],
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._trainings, self._registry, self._forgotten = trainings, registry, forgotten
        self._history_loader, self._trainer, self._send = history_loader, trainer, send
        self._memory = memory
        self._clock, self._new_id = clock, new_id

    def training_request(self, *, requested_by: str) -> Training:
        """Queue a training, or return the one that is queued or running."""
        wanted = Training(id=self._new_id(), requested_at=self._clock(), requested_by=requested_by)
        self._trainings.add(wanted)
        try:
            self._registry.acquire_slot(wanted.id, self._is_open)
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
        """Return the measured trainings up to this one, oldest first."""
        end = until.requested_at + timedelta(milliseconds=1)
        found = self._trainings.find("by_time", descending=True, limit=limit, end=end).items
        return [training for training in reversed(found) if training.quality is not None]

    def training_run(self, training_id: str) -> Training:
        """Run a queued training to its end; repeating a finished one changes nothing."""
        training = self._trainings.get(training_id)
        if training.status != "queued":
            return training
        try:
            self._registry.acquire_slot(
                training_id, self._is_open
            )  # again: the process that requested it may have died before
        except TrainingRunning as running:
            reason = f"another training runs: {running}"
            return self._trainings.update(training_id, lambda t: t.fail(self._clock(), reason))
        training = self._trainings.update(training_id, lambda t: t.start(self._clock()))
        try:
            with self._memory.limited() as budget:
                attempt = Attempt(
                    training=training, trainings=self._trainings, budget=budget, clock=self._clock
                )
                return self._run(attempt)
        except TrainingAbandoned:
            return self._trainings.get(training_id)  # whoever released its slot has stored the outcome
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
        """Cancel a training; raises ValueError if it has ended or serves already.

        Another may be requested at once.
        """
        self._trainings.get(training_id)
        self._registry.release_slot(training_id)
        return self._trainings.update(training_id, lambda t: t.cancel(self._clock()))

    def training_sweep(self) -> int:
        """Requeue waiting trainings, fail those whose worker is lost, and return their number."""
        now, swept = self._clock(), 0
        for status in ("queued", "running"):
            for training in self._trainings.find("by_status", {"status": status}, limit=50).items:
                swept += self._sweep(training, now)
        return swept

    def model_sweep(self) -> int:
        """Delete models that are not needed, and return their number."""
        return self._registry.delete_unused()

    def model_roll_back(self, model_id: str) -> None:
        """Serve an older model that is still stored."""
        self._registry.roll_back(model_id)

    def lists(self, model_id: str) -> Lists:
        return self._registry.lists(model_id)

    def _sweep_models(self) -> None:
        try:
            self._registry.delete_unused()
        except CouchError:
            log.exception("unused models could not be deleted; trying again later")

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
        if training.status == "running" and now - since > HEARTBEAT_TIMEOUT:
            return self._handle_lost(training, now)
        return 0

    def _handle_lost(self, seen: Training, now: datetime) -> int:
        """Handle a lost worker, unless it reported something since it was `seen`."""

        def lose(training: Training) -> None:
            if training.version != seen.version:
                return
            if serves:
                training.finish(
                    now, model=seen.id, promoted=True, reason="promoted; then the worker was lost"
                )
            else:
                training.lose_worker(now)

        serves = False
        if not seen.is_resumable:
            try:
                self._registry.release_slot(seen.id)
            except ValueError:
                serves = True
        self._trainings.update(seen.id, lose)
        return 1

    def _run(self, attempt: Attempt) -> Training:
        attempt.progress(READING, 0.05)
        since = self._clock()  # requests to forget from now on may be missed by this training
        interactions = self._read(attempt)
        try:
            return self._learn(attempt, interactions, since)
        finally:
            self._history_loader.delete_parts()

    def _read(self, attempt: Attempt) -> list[Interaction]:
        forgotten = self._when_forgotten()
        found = [
            one for one in self._history_loader.load(attempt.record_read) if not _is_forgotten(one, forgotten)
        ]
        if not found:
            raise ValueError("no events to learn from")
        return found

    def _learn(
        self, attempt: Attempt, interactions: Sequence[Interaction], forgotten_to: datetime
    ) -> Training:
        trained = self._trainer(
            interactions,
            now=self._clock(),
            serving=self._registry.load_serving(),
            progress=attempt.progress,
            dense=attempt.dense,
        )
        attempt.progress("keeping the model", 0.95)
        packed = model_codec.pack(trained.lists)
        model = self._store(attempt.id, trained, packed, forgotten_to)
        promoted, reason = may_promote(trained.compared, serves=self._registry.has_model())
        if promoted:
            self._registry.promote(model.id)

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
        return {one.person: one.at for one in iter_all(self._forgotten.find, "by_time")}

    def _store(
        self, training_id: str, trained: TrainingResult, packed: bytes, forgotten_to: datetime
    ) -> Model:
        model = Model(
            id=training_id,
            algorithm=trained.algorithm,
            trained_at=self._clock(),
            parameters=trained.parameters,
            quality=trained.quality,
            products=len(trained.lists.similar),
            file=model_files.content_name(packed),
            learned_to=self._history_loader.checkpoint,
            forgotten_to=forgotten_to,
        )
        return self._registry.store(model, packed)


def _examples(lists: Lists) -> dict[str, list[str]]:
    return {
        product: [other for other, _ in lists.similar.get(product, [])[:5]]
        for product, _ in lists.trending[:5]
    }


def _is_forgotten(one: Interaction, forgotten: dict[str, datetime]) -> bool:
    """Return True if the account or the session asked to be forgotten after this interaction."""
    who = (f"user:{one.user}" if one.user else "", f"session:{one.session}" if one.session else "")
    return any(person in forgotten and one.at <= forgotten[person] for person in who)
