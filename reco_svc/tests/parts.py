"""Reco's parts on in-memory repositories, a list as history and the real engine."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from datetime import UTC, datetime, timedelta
from pathlib import Path

from chassis.couch import MemoryRepository
from chassis.messaging import Envelope
from reco import repositories
from reco.book import Book
from reco.domain import Interaction
from reco.engine.trainer import train
from reco.files import Files
from reco.live import Live, News
from reco.services import Forgetting, Recommendations, Shelf, Trainings
from reco.wiring import Parts

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def fact(type_, data, seq=1):
    """A fact of the catalogue as the inbox hands it on."""
    return Envelope(f"{type_}-{seq}", type_, "catalog", "a subject", seq, NOW, data)


class FakeHistory:
    """A `History` of events kept in a list."""

    checkpoint: str | None = None

    def __init__(self) -> None:
        self.events: list[Interaction] = []

    def visit(self, session, *products, type_="view", user=None, ago=1.0):
        at = NOW - timedelta(days=ago)
        self.events += [Interaction(type_, product, at, user, session) for product in products]

    def read(self):
        self.checkpoint = str(len(self.events))
        return iter(self.events)

    def after(self, cursor):
        start = int(cursor or 0)
        found = [(f"e{start + n}", one) for n, one in enumerate(self.events[start:])]
        # As logs does: the newest lie behind the checkpoint and come again.
        return News(found, None, str(max(start, len(self.events) - 1)))


class Desk:
    """Parts for a test, and the handles that it needs."""

    def __init__(self, repository=MemoryRepository) -> None:
        self.history, self.sent, self.now = FakeHistory(), [], NOW
        self.products = repository(repositories.PRODUCTS)
        self.models = repository(repositories.MODELS)
        self.serving = repository(repositories.SERVING)
        self.trainings = repository(repositories.TRAININGS)
        self._ids = iter(f"t{number}" for number in range(1, 100))
        self.forgotten = repository(repositories.FORGOTTEN)
        self.folder = Path(tempfile.mkdtemp(prefix="reco-models-"))
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        self.live = Live(self.history)
        book = Book(
            serving=self.serving,
            models=self.models,
            products=self.products,
            forgotten=self.forgotten,
            live=self.live,
            files=Files(self.folder),
            tick=iter(range(0, 9999, 10)).__next__,
        )
        self.parts = Parts(
            trainings=Trainings(
                trainings=self.trainings,
                models=self.models,
                serving=self.serving,
                forgotten=self.forgotten,
                history=self.history,
                trainer=train,
                send=lambda training_id: self.sent.append(training_id) is None,
                clock=lambda: self.now,
                new_id=lambda: next(self._ids),
            ),
            recommendations=Recommendations(snapshot=book, consumable=frozenset({"food"})),
            shelf=Shelf(products=self.products),
            book=book,
            forgetting=Forgetting(forgotten=self.forgotten, clock=lambda: self.now),
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
            self.parts.shelf.product_changed(fact("product.changed", data, seq))

    def trains(self):
        training = self.parts.trainings.training_request(requested_by="staff")
        return self.parts.trainings.training_run(training.id)
