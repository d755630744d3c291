"""The served model and what is for sale, held in this process's memory and kept fresh.

A list is answered from memory; at most every two seconds a look at the documents tells whether a newer model
serves or a product changed. With the database away the last state goes on serving.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime

from chassis.couch import NotFound, Repository, Unavailable
from reco.domain import Lists, Model, Product, Serving
from reco.services.training import ARTEFACT, unpack

log = logging.getLogger(__name__)

FRESH_FOR = 2.0  # seconds
PAGE = 200


class Book:
    """A `Snapshot` for the recommendations (services/recommending.py)."""

    def __init__(
        self,
        *,
        serving: Repository[Serving],
        models: Repository[Model],
        products: Repository[Product],
        tick: Callable[[], float] = time.monotonic,
    ) -> None:
        self._serving, self._models, self._product_documents = serving, models, products
        self._tick, self._checked = tick, float("-inf")
        self._lock = threading.Lock()
        self.version: str | None = None
        self.algorithm = "popularity"
        self.trained_at: datetime | None = None
        self.lists = Lists()
        self.products: dict[str, Product] = {}

    def refresh(self) -> None:
        """Look for news, unless somebody just did; never raises."""
        if self._tick() - self._checked < FRESH_FOR or not self._lock.acquire(blocking=False):
            return
        try:
            self._checked = self._tick()
            self.products = {product.id: product for product in self._all_products()}
            self._load_model()
        except Unavailable:
            log.warning("serving from memory: the database is away")
        except ValueError:
            log.exception("the model's file cannot be read, the one before goes on serving")
        finally:
            self._lock.release()

    def _load_model(self) -> None:
        try:
            wanted = self._serving.get("main").model
        except NotFound:
            return
        if wanted is None or wanted == self.version:
            return
        model = self._models.get(wanted)
        self.lists = unpack(self._models.attachment(wanted, ARTEFACT))
        self.version, self.algorithm, self.trained_at = model.id, model.algorithm, model.trained_at

    def _all_products(self) -> list[Product]:
        found: list[Product] = []
        cursor: str | None = None
        while True:
            page = self._product_documents.find("by_status", limit=PAGE, cursor=cursor)
            found += page.items
            cursor = page.next
            if cursor is None:
                return found
