"""The one place that chooses real parts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from chassis.background import Job
from chassis.clock import now
from chassis.couch import couch_repository
from chassis.ids import new_id
from chassis.jobs import send
from chassis.siblings import Sibling
from chassis.wiring import Wiring
from reco import repositories
from reco.book import Book
from reco.clients import LogsHistory
from reco.files import Files
from reco.live import Live
from reco.memory import Memory
from reco.services import Forgetting, Keeping, Reading, Recommendations, Shelf, Trainings

COLLECTIONS = repositories.COLLECTIONS
QUEUE = "reco"


@dataclass(frozen=True, slots=True)
class Parts:
    trainings: Trainings
    recommendations: Recommendations
    shelf: Shelf
    book: Book
    forgetting: Forgetting


def build() -> Parts:
    trainings = couch_repository(repositories.TRAININGS)
    products = couch_repository(repositories.PRODUCTS)
    models = couch_repository(repositories.MODELS)
    serving = couch_repository(repositories.SERVING)
    forgotten = couch_repository(repositories.FORGOTTEN)
    history = LogsHistory(Sibling("logs"))
    book = Book(
        serving=serving,
        models=models,
        products=products,
        forgotten=forgotten,
        live=Live(history),
        files=Files(Path(settings.DATA_DIR) / "models"),
    )
    return Parts(
        trainings=Trainings(
            trainings=trainings,
            keeping=Keeping(models=models, serving=serving, trainings=trainings),
            forgotten=forgotten,
            reading=Reading(history=history, parts=couch_repository(repositories.READ), clock=now),
            trainer=_trainer,
            memory=Memory(settings.TRAINING_MEMORY_MB, first=_engine),
            send=lambda training_id: send("reco.tasks.train", training_id, queue=QUEUE),
            clock=now,
            new_id=new_id,
        ),
        recommendations=Recommendations(
            snapshot=book, consumable=frozenset(filter(None, settings.CONSUMABLE_CATEGORIES.split(",")))
        ),
        shelf=Shelf(products=products),
        book=book,
        forgetting=Forgetting(forgotten=forgotten, clock=now),
    )


# The engine is imported where it is used: numpy, scipy and surprise cost 60 MB, only the worker needs them.


def _trainer(*args, **kwargs):  # type: ignore[no-untyped-def]  # the engine's own signature (services.training.Trainer)
    from reco.engine.trainer import train

    return train(*args, **kwargs)


def _engine() -> None:
    from reco.engine import second, trainer  # noqa: F401 - what the trainer needs is not counted as its own

    second.warm()


wiring = Wiring(build)
parts = wiring.parts

HANDLERS = {
    "product.changed": lambda envelope: parts().shelf.product_changed(envelope),
    "product.deleted": lambda envelope: parts().shelf.product_deleted(envelope),
    "availability.changed": lambda envelope: parts().shelf.availability_changed(envelope),
    "account.erased": lambda envelope: parts().forgetting.account_erased(envelope),
}

BACKGROUND = [
    Job("training sweeper", run=lambda: parts().trainings.training_sweep(), every=5),
    # Also as the service starts: what trainings left that were killed.
    Job("model sweeper", run=lambda: parts().trainings.model_sweep(), every=3600),
]
