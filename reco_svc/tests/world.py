"""Dependencies on in-memory repositories, a list as history and the real engine."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from datetime import UTC, datetime, timedelta
from pathlib import Path

from chassis.clients import Refused
from chassis.couch import MemoryRepository
from chassis.messaging import Envelope
from reco import repositories
from reco.container import Dependencies
from reco.domain import Interaction
from reco.engine import ease
from reco.engine.trainer import train
from reco.memory_budget import MemoryLimit
from reco.model_files import ModelFiles
from reco.recent_events import EventPage, RecentEvents
from reco.services import Erasure, HistoryLoader, ModelRegistry, ProductProjection, Recommendations, Trainings
from reco.serving_state import ServingState

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def event(type_, data, seq=1):
    """Return an event of the catalogue as the inbox delivers it."""
    return Envelope(f"{type_}-{seq}", type_, "catalog", "a subject", seq, NOW, data)


class FakeHistory:
    """A `History` of events held in a list."""

    def __init__(self, page: int = 1_000_000) -> None:
        self.events: list[Interaction] = []
        self.page = page
        self.asked: list[str | None] = []

    def visit(self, session, *products, type_="view", user=None, ago=1.0):
        at = NOW - timedelta(days=ago)
        self.events += [Interaction(type_, product, at, user, session) for product in products]

    def after(self, cursor):
        self.asked.append(cursor)
        if cursor is not None and int(cursor) > len(self.events):
            raise Refused("logs", 400, {"type": "bad-request"})
        start = int(cursor or 0)
        found = [(f"e{start + n}", one) for n, one in enumerate(self.events[start : start + self.page])]
        end = start + len(found)
        if end < len(self.events):
            return EventPage(found, str(end), str(end))
        # As logs does: what is read as it happens lies behind the checkpoint and comes again.
        return EventPage(found, None, str(end if cursor is None else max(start, end - 1)))


class World:
    """The dependencies of a test, and the fakes it controls."""

    def __init__(self, repository=MemoryRepository, *, page=1_000_000, pages=1, memory=0) -> None:
        self.history, self.sent, self.now = FakeHistory(page), [], NOW
        self.read = repository(repositories.HISTORY_PARTS)
        self.products = repository(repositories.PRODUCTS)
        self.models = repository(repositories.MODELS)
        self.serving = repository(repositories.SERVING)
        self.trainings = repository(repositories.TRAININGS)
        self._ids = iter(f"t{number}" for number in range(1, 100))
        self.forgotten = repository(repositories.ERASURE_REQUESTS)
        self.folder = Path(tempfile.mkdtemp(prefix="reco-models-"))
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        self.recent_events = RecentEvents(self.history)
        serving_state = ServingState(
            serving=self.serving,
            models=self.models,
            products=self.products,
            forgotten=self.forgotten,
            recent_events=self.recent_events,
            files=ModelFiles(self.folder),
            tick=iter(range(0, 9999, 10)).__next__,
        )
        self.parts = Dependencies(
            trainings=Trainings(
                trainings=self.trainings,
                registry=ModelRegistry(models=self.models, serving=self.serving, trainings=self.trainings),
                forgotten=self.forgotten,
                history_loader=HistoryLoader(
                    history=self.history, parts=self.read, clock=lambda: self.now, pages=pages
                ),
                trainer=train,
                memory=MemoryLimit(memory, first=ease.warm_up),
                send=lambda training_id: self.sent.append(training_id) is None,
                clock=lambda: self.now,
                new_id=lambda: next(self._ids),
            ),
            recommendations=Recommendations(snapshot=serving_state, consumable=frozenset({"food"})),
            product_projection=ProductProjection(products=self.products),
            serving_state=serving_state,
            erasure=Erasure(forgotten=self.forgotten, clock=lambda: self.now),
        )

    def sells(self, *products, category="camping", seq=1, availability="in_stock"):
        for product in products:
            data = {
                "product_id": product,
                "title": product.replace("-", " ").title(),
                "slug": product,
                "category": category,
                "status": "active",
                "skus": {f"{product}-1": availability},
            }
            self.parts.product_projection.product_changed(event("product.changed", data, seq))

    def trains(self):
        training = self.parts.trainings.training_request(requested_by="staff")
        return self.parts.trainings.training_run(training.id)
