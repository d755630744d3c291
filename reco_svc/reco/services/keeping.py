"""Trained models as documents with a file each: kept, put into service, put back, swept away."""

from __future__ import annotations

import logging
from collections.abc import Callable

from chassis.couch import Conflict, NotFound, Repository, every
from reco.domain import KEPT_REFUSED, Lists, Model, Served, Serving, Training, TrainingRunning
from reco.services.modelfiles import model_lists

log = logging.getLogger(__name__)


class Keeping:
    """The document `serving:main` also holds the place of the training that runs. Promoting it and taking
    its place away are writes of that one document, so that whichever comes second sees the first."""

    def __init__(
        self,
        *,
        models: Repository[Model],
        serving: Repository[Serving],
        trainings: Repository[Training],
    ) -> None:
        self._models, self._serving, self._trainings = models, serving, trainings

    def take_place(self, training_id: str, is_open: Callable[[str], bool]) -> None:
        """Raises TrainingRunning while another training that is open has it."""

        def take(serving: Serving) -> None:
            if serving.training and serving.training != training_id and is_open(serving.training):
                raise TrainingRunning(serving.training)
            serving.training = training_id

        self._serving.update("main", take, create=Serving)

    def give_up(self, training_id: str) -> None:
        """From now on its model is not promoted; ValueError when it serves already."""
        self._serving.update("main", lambda serving: serving.give_up(training_id), create=Serving)

    def keep(self, model: Model, packed: bytes) -> Model:
        """With its file, which is named by its content."""
        return self._models.attach(self._models.add(model), model.file, packed, "application/octet-stream")

    def promote(self, model_id: str) -> None:
        """Serve this model; `GivenUp` when its training was cancelled or taken for lost before."""
        self._serving.update("main", lambda serving: serving.promote(model_id, of=model_id), create=Serving)

    def put_back(self, model_id: str) -> None:
        """Serve another model that is still kept: an older one, or one that was refused and that a person
        wants all the same. ValueError for one whose training has not ended."""
        self._models.get(model_id)
        training = next(iter(self._trainings.get_many([model_id])), None)
        if training is not None and training.open:
            raise ValueError("its training has not ended")
        self._serving.update("main", lambda serving: serving.put_back(model_id))

    def serves(self) -> bool:
        """Whether any model was chosen to serve."""
        try:
            return self._serving.get("main").model is not None
        except NotFound:
            return False

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

    def sweep(self) -> int:
        """Deletes models, with their files, that nobody needs: those that served long ago, that were refused
        before the newest two, and what killed, failed and cancelled trainings left; how many."""
        found = list(every(self._models.find, "by_time", descending=True))
        trainings = {one.id: one for one in self._trainings.get_many([model.id for model in found])}
        # Read after the trainings: one that has ended by then has promoted its model, or never will.
        kept = self._kept()
        refused = [model.id for model in found if model.id not in kept and _refused(trainings.get(model.id))]
        kept |= set(refused[:KEPT_REFUSED]) | {one.id for one in trainings.values() if one.open}
        return sum(self._deleted(model) for model in found if model.id not in kept)

    def _kept(self) -> set[str]:
        try:
            return self._serving.get("main").kept
        except NotFound:
            return set()

    def _deleted(self, model: Model) -> bool:
        try:
            self._models.delete(model)
        except (Conflict, NotFound):
            return False  # another sweep was quicker
        log.info("model swept away", extra={"model": model.id})
        return True


def _refused(training: Training | None) -> bool:
    return training is not None and training.status == "done" and not training.promoted
