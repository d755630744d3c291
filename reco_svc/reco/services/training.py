"""Trainings: asked for, one at a time, measured, and promoted only when not worse."""

from __future__ import annotations

import gzip
import json
import logging
import zlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from chassis.couch import NotFound, Page, Repository
from reco import files
from reco.clients import History
from reco.domain import (
    Comparison,
    Forgotten,
    Interaction,
    Lists,
    Model,
    Quality,
    Served,
    Serving,
    Training,
    TrainingRunning,
    may_promote,
    quality_alert,
)

log = logging.getLogger(__name__)

ARTEFACT = "lists.json.gz"
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
    ) -> Trained: ...


class Trainings:
    def __init__(
        self,
        *,
        trainings: Repository[Training],
        models: Repository[Model],
        serving: Repository[Serving],
        forgotten: Repository[Forgotten],
        history: History,
        trainer: Trainer,
        send: Callable[[str], bool],
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._trainings, self._models, self._serving = trainings, models, serving
        self._forgotten = forgotten
        self._history, self._trainer, self._send = history, trainer, send
        self._clock, self._new_id = clock, new_id

    def training_request(self, *, requested_by: str) -> Training:
        """Queue a training; while one waits or runs, that one is answered (its id is the same)."""
        wanted = Training(id=self._new_id(), requested_at=self._clock(), requested_by=requested_by)

        def take(serving: Serving) -> None:
            if serving.training and serving.training != wanted.id and self._is_open(serving.training):
                raise TrainingRunning(serving.training)
            serving.training = wanted.id

        self._trainings.add(wanted)
        try:
            self._serving.update("main", take, create=Serving)
        except TrainingRunning as running:
            self._trainings.delete(wanted)
            return self._trainings.get(str(running))
        self._send(wanted.id)
        return wanted

    def training_list(self, *, limit: int, cursor: str | None) -> Page[Training]:
        return self._trainings.find("by_time", descending=True, limit=limit, cursor=cursor)

    def training_get(self, training_id: str) -> Training:
        return self._trainings.get(training_id)

    def training_run(self, training_id: str) -> Training:
        """Runs a queued training to its end; repeated calls of a finished one change nothing."""
        training = self._trainings.get(training_id)
        if training.status != "queued":
            return training
        try:
            training = self._trainings.update(training_id, lambda t: t.start(self._clock()))
            return self._run(training)
        except Exception as error:
            if self._trainings.get(training_id).status == "cancelled":
                return self._trainings.get(training_id)
            log.exception("training failed", extra={"training": training_id})
            reason = f"{type(error).__name__}: {error}"[:500]
            return self._trainings.update(training_id, lambda t: t.fail(self._clock(), reason))

    def training_cancel(self, training_id: str) -> Training:
        """Stop it; ValueError when it has ended already. Another may be asked for at once."""
        return self._trainings.update(training_id, lambda t: t.cancel(self._clock()))

    def training_sweep(self) -> int:
        """Sends waiting trainings to a worker again and fails those whose worker has gone; how many."""
        now, swept = self._clock(), 0
        for status in ("queued", "running"):
            for training in self._trainings.find("by_status", {"status": status}, limit=50).items:
                swept += self._sweep(training, now)
        return swept

    def model_put_back(self, model_id: str) -> None:
        """Serve an older model that is still kept."""
        self._models.get(model_id)
        self._serving.update("main", lambda serving: serving.put_back(model_id))

    def serving_now(self) -> Served | None:
        """What is served now; None before the first model, and when its file is damaged."""
        try:
            current = self._serving.get("main").model
            return Served(self.lists(current), self._models.get(current).trained_at) if current else None
        except NotFound:
            return None
        except ValueError:
            log.exception("the serving model cannot be compared with")
            return None

    def lists(self, model_id: str) -> Lists:
        return model_lists(self._models, self._models.get(model_id))

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
            self._trainings.update(training.id, lambda t: t.fail(now, "the worker went away"))
            return 1
        return 0

    def _run(self, training: Training) -> Training:
        def progress(step: str, share: float) -> None:
            self._trainings.update(training.id, lambda t: t.advance(step, share, self._clock()))

        progress("reading events", 0.05)
        forgotten = self._when_forgotten()
        interactions = [one for one in self._history.read() if not _is_forgotten(one, forgotten)]
        if not interactions:
            raise ValueError("no events to learn from")
        trained = self._trainer(
            interactions, now=self._clock(), serving=self.serving_now(), progress=progress
        )
        progress("keeping the model", 0.95)
        packed = files.pack(trained.lists)
        model = self._keep(training, trained, packed)
        promoted, reason = may_promote(trained.compared)
        if promoted:
            self._promote(model.id)

        alert = quality_alert(trained.quality, self._qualities_before())
        if alert:
            log.error("quality of recommendations fell", extra={"alarm": "quality", "reason": alert})

        def finish(t: Training) -> None:
            t.alert, t.examples = alert, _examples(trained.lists)
            t.events, t.products = len(interactions), len(trained.lists.similar)
            t.parameters, t.quality, t.size_bytes = trained.parameters, trained.quality, len(packed)
            t.finish(self._clock(), model=model.id, promoted=promoted, reason=reason)

        return self._trainings.update(training.id, finish)

    def _qualities_before(self) -> list[Quality]:
        newest = self._trainings.find("by_time", descending=True, limit=8).items
        return [one.quality for one in newest if one.quality is not None]

    def _when_forgotten(self) -> dict[str, datetime]:
        found: dict[str, datetime] = {}
        cursor: str | None = None
        while True:
            page = self._forgotten.find("by_time", limit=200, cursor=cursor)
            found.update((one.person, one.at) for one in page.items)
            cursor = page.next
            if cursor is None:
                return found

    def _keep(self, training: Training, trained: Trained, packed: bytes) -> Model:
        model = Model(
            id=training.id,
            algorithm=trained.algorithm,
            trained_at=self._clock(),
            parameters=trained.parameters,
            quality=trained.quality,
            products=len(trained.lists.similar),
            file=files.name_of(packed),
            learned_to=self._history.checkpoint,
        )
        return self._models.attach(self._models.add(model), model.file, packed, "application/octet-stream")

    def _promote(self, model_id: str) -> None:
        dropped: list[str] = []

        def change(serving: Serving) -> None:
            dropped[:] = serving.promote(model_id)

        self._serving.update("main", change, create=Serving)
        for old in self._models.get_many(dropped):
            self._models.delete(old)


def _examples(lists: Lists) -> dict[str, list[str]]:
    return {
        product: [other for other, _ in lists.similar.get(product, [])[:5]]
        for product, _ in lists.trending[:5]
    }


def _is_forgotten(one: Interaction, forgotten: dict[str, datetime]) -> bool:
    """Whether whose it was has wanted it forgotten, as this account or in this session."""
    who = (f"user:{one.user}" if one.user else "", f"session:{one.session}" if one.session else "")
    return any(person in forgotten and one.at <= forgotten[person] for person in who)


def model_lists(models: Repository[Model], model: Model) -> Lists:
    """From its attachment, checked. ValueError for a damaged one."""
    if not model.file:
        return unpack_older(models.attachment(model.id, ARTEFACT))
    return files.unpack(files.checked(models.attachment(model.id, model.file), model.file))


def unpack_older(data: bytes) -> Lists:
    """Lists of a model of before `reco.files`: gzipped JSON. ValueError for a damaged one."""
    try:
        raw: dict[str, Any] = json.loads(gzip.decompress(data))
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(f"the model's file is damaged: {error}") from error
    pairs = {
        name: {
            product: [(other, score) for other, score in near] for product, near in raw.get(name, {}).items()
        }
        for name in ("similar", "together", "personal")
    }
    return Lists(
        trending=[(product, score) for product, score in raw["trending"]],
        histories=raw["histories"],
        tastes=raw.get("tastes", {}),
        owned=raw["owned"],
        **pairs,
    )
