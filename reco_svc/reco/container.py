"""The container: the one place that chooses real adapters."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from chassis.background import Job
from chassis.clients import ServiceClient
from chassis.clock import now
from chassis.container import Container
from chassis.couch import couch_repository
from chassis.ids import new_id
from chassis.jobs import send
from reco import repositories
from reco.clients import LogsHistory
from reco.memory_budget import MemoryLimit
from reco.model_files import ModelFiles
from reco.recent_events import RecentEvents
from reco.services import Erasure, HistoryLoader, ModelRegistry, ProductProjection, Recommendations, Trainings
from reco.serving_state import ServingState

COLLECTIONS = repositories.COLLECTIONS
QUEUE = "reco"


@dataclass(frozen=True, slots=True)
class Dependencies:
    trainings: Trainings
    recommendations: Recommendations
    product_projection: ProductProjection
    serving_state: ServingState
    erasure: Erasure


def build() -> Dependencies:
    trainings = couch_repository(repositories.TRAININGS)
    products = couch_repository(repositories.PRODUCTS)
    models = couch_repository(repositories.MODELS)
    serving = couch_repository(repositories.SERVING)
    forgotten = couch_repository(repositories.ERASURE_REQUESTS)
    history = LogsHistory(ServiceClient("logs"))
    serving_state = ServingState(
        serving=serving,
        models=models,
        products=products,
        forgotten=forgotten,
        recent_events=RecentEvents(history),
        files=ModelFiles(Path(settings.DATA_DIR) / "models"),
    )
    return Dependencies(
        trainings=Trainings(
            trainings=trainings,
            registry=ModelRegistry(models=models, serving=serving, trainings=trainings),
            forgotten=forgotten,
            history_loader=HistoryLoader(
                history=history, parts=couch_repository(repositories.HISTORY_PARTS), clock=now
            ),
            trainer=_trainer,
            memory=MemoryLimit(settings.TRAINING_MEMORY_MB, first=_engine),
            send=lambda training_id: send("reco.tasks.train", training_id, queue=QUEUE),
            clock=now,
            new_id=new_id,
        ),
        recommendations=Recommendations(
            snapshot=serving_state,
            consumable=frozenset(filter(None, settings.CONSUMABLE_CATEGORIES.split(","))),
        ),
        product_projection=ProductProjection(products=products),
        serving_state=serving_state,
        erasure=Erasure(forgotten=forgotten, clock=now),
    )


# The engine is imported where it is used: numpy, scipy and surprise cost 60 MB, only the worker needs them.


def _trainer(*args, **kwargs):  # type: ignore[no-untyped-def]  # the engine's own signature (services.training.Trainer)
    from reco.engine.trainer import train

    return train(*args, **kwargs)


def _engine() -> None:
    from reco.engine import ease, trainer  # noqa: F401 - what the trainer needs is not counted as its own

    ease.warm_up()


container = Container(build)
dependencies = container.get

HANDLERS = {
    "product.changed": lambda envelope: dependencies().product_projection.product_changed(envelope),
    "product.deleted": lambda envelope: dependencies().product_projection.product_deleted(envelope),
    "availability.changed": lambda envelope: dependencies().product_projection.availability_changed(envelope),
    "account.erased": lambda envelope: dependencies().erasure.account_erased(envelope),
}

BACKGROUND = [
    Job("training sweeper", run=lambda: dependencies().trainings.training_sweep(), every=5),
    # Also when the service starts: models that killed trainings left.
    Job("model sweeper", run=lambda: dependencies().trainings.model_sweep(), every=3600),
]
