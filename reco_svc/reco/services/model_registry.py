"""The model registry: storing, promoting, restoring and deleting trained models."""

from __future__ import annotations

import logging
from collections.abc import Callable

from chassis.couch import Conflict, NotFound, Repository, iter_all
from reco.domain import MAX_REFUSED, Lists, Model, ServedModel, Serving, Training, TrainingRunning
from reco.services.model_loader import model_lists

log = logging.getLogger(__name__)


class ModelRegistry:
    """Trained models, and the document `serving:main`, which also holds the running training's slot.

    Promoting a training and releasing its slot write the same document, so that whichever comes second sees
    the first.
    """

    def __init__(
        self,
        *,
        models: Repository[Model],
        serving: Repository[Serving],
        trainings: Repository[Training],
    ) -> None:
        self._models, self._serving, self._trainings = models, serving, trainings

    def acquire_slot(self, training_id: str, is_open: Callable[[str], bool]) -> None:
        """Acquire the training slot; raises TrainingRunning while another open training holds it."""

        def take(serving: Serving) -> None:
            if serving.training and serving.training != training_id and is_open(serving.training):
                raise TrainingRunning(serving.training)
            serving.training = training_id

        self._serving.update("main", take, create=Serving)

    def release_slot(self, training_id: str) -> None:
        """Release the slot, so that its model is never promoted; raises ValueError if it serves already."""
        self._serving.update("main", lambda serving: serving.release_slot(training_id), create=Serving)

    def store(self, model: Model, packed: bytes) -> Model:
        """Store the model under its content hash."""
        return self._models.attach(self._models.add(model), model.file, packed, "application/octet-stream")

    def promote(self, model_id: str) -> None:
        """Serve this model; raises TrainingAbandoned if its training was cancelled or lost."""
        self._serving.update("main", lambda serving: serving.promote(model_id, of=model_id), create=Serving)

    def roll_back(self, model_id: str) -> None:
        """Serve another stored model: an older one, or one that was refused.

        Raises ValueError if its training has not ended.
        """
        self._models.get(model_id)
        training = next(iter(self._trainings.get_many([model_id])), None)
        if training is not None and training.open:
            raise ValueError("its training has not ended")
        self._serving.update("main", lambda serving: serving.roll_back(model_id))

    def has_model(self) -> bool:
        """Return True if any model was chosen to serve."""
        try:
            return self._serving.get("main").model is not None
        except NotFound:
            return False

    def load_serving(self) -> ServedModel | None:
        """Return the served lists; None before the first model, and if its file is damaged."""
        try:
            current = self._serving.get("main").model
            return ServedModel(self.lists(current), self._models.get(current).trained_at) if current else None
        except NotFound:
            return None
        except ValueError:
            log.exception("the serving model cannot be compared")
            return None

    def lists(self, model_id: str) -> Lists:
        return model_lists(self._models, self._models.get(model_id))

    def delete_unused(self) -> int:
        """Delete models that are not needed, with their files, and return their number.

        These are models that served long ago, that were refused before the newest two, and those of failed
        and cancelled trainings.
        """
        found = list(iter_all(self._models.find, "by_time", descending=True))
        trainings = {one.id: one for one in self._trainings.get_many([model.id for model in found])}
        # Read after the trainings: one that has ended by now has promoted its model, or never will.
        kept = self._kept()
        refused = [model.id for model in found if model.id not in kept and _refused(trainings.get(model.id))]
        kept |= set(refused[:MAX_REFUSED]) | {one.id for one in trainings.values() if one.open}
        return sum(self._delete(model) for model in found if model.id not in kept)

    def _kept(self) -> set[str]:
        try:
            return self._serving.get("main").kept
        except NotFound:
            return set()

    def _delete(self, model: Model) -> bool:
        try:
            self._models.delete(model)
        except (Conflict, NotFound):
            return False  # another process was quicker
        log.info("model deleted", extra={"model": model.id})
        return True


def _refused(training: Training | None) -> bool:
    return training is not None and training.status == "done" and not training.promoted
