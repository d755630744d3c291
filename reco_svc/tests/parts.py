"""Reco's parts on in-memory repositories, a list as history and the real engine."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from datetime import UTC, datetime, timedelta
from pathlib import Path

from chassis.couch import MemoryRepository
from chassis.messaging import Envelope
from chassis.siblings import Refused
from reco import repositories
from reco.book import Book
from reco.domain import Interaction
from reco.engine import second
from reco.engine.trainer import train
from reco.files import Files
from reco.live import Live, News
from reco.memory import Memory
from reco.services import Forgetting, Keeping, Reading, Recommendations, Shelf, Trainings
from reco.wiring import Parts

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def fact(type_, data, seq=1):
    """A fact of the catalogue as the inbox hands it on."""
    return Envelope(f"{type_}-{seq}", type_, "catalog", "a subject", seq, NOW, data)


class FakeHistory:
    """A `History` of events kept in a list."""

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
            return News(found, str(end), str(end))
        # As logs does: what is read as it happens lies behind the checkpoint and comes again.
        return News(found, None, str(end if cursor is None else max(start, end - 1)))


class Desk:
    """Parts for a test, and the handles that it needs."""

    def __init__(self, repository=MemoryRepository, *, page=1_000_000, pages=1, memory=0) -> None:
        self.history, self.sent, self.now = FakeHistory(page), [], NOW
        self.read = repository(repositories.READ)
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
                keeping=Keeping(models=self.models, serving=self.serving, trainings=self.trainings),
                forgotten=self.forgotten,
                reading=Reading(history=self.history, parts=self.read, clock=lambda: self.now, pages=pages),
                trainer=train,
                memory=Memory(memory, first=second.warm),
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
