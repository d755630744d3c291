"""The served model and what is for sale, held in this process's memory and kept fresh.

A list is answered from memory; at most every two seconds a look at the documents, in a thread beside the
answers, tells whether a newer model serves or a product changed. With the database away the last state goes
on serving.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from chassis.couch import NotFound, Repository, Unavailable, every
from reco.domain import Forgotten, Lists, Model, Product, Serving, Shelves
from reco.files import Files
from reco.live import Live
from reco.services.modelfiles import model_lists

log = logging.getLogger(__name__)

FRESH_FOR = 2.0  # seconds
TOO_OLD = 10.0  # seconds without a question: the next one waits for the news
PAGE = 200
CLOCKS = timedelta(minutes=1)
AGAIN = 30.0  # seconds until a model that could not be read is tried again


class Book:
    """A `Snapshot` for the recommendations (services/recommending.py)."""

    def __init__(
        self,
        *,
        serving: Repository[Serving],
        models: Repository[Model],
        products: Repository[Product],
        forgotten: Repository[Forgotten],
        live: Live,
        files: Files,
        tick: Callable[[], float] = time.monotonic,
    ) -> None:
        self._serving, self._models, self._product_documents = serving, models, products
        self._files = files
        self._forgotten_documents, self.live = forgotten, live
        self._tick, self._checked, self._products_due = tick, float("-inf"), float("-inf")
        self._lock = threading.Lock()
        self.version: str | None = None
        self.algorithm = "popularity"
        self.trained_at: datetime | None = None
        self._forgotten_to: datetime | None = None
        self.lists = Lists()
        self.products: dict[str, Product] = {}
        self.shelves = Shelves({}, [])
        self.forgotten: dict[str, datetime] = {}
        self._damaged: tuple[str | None, float] = (None, float("-inf"))
        self.problem = ""
        """Why the model that was chosen does not serve; empty when it does."""

    def wake(self) -> None:
        """Somebody asks: look for news beside the answer, or before it where what is held is too old."""
        age = self._tick() - self._checked
        if age >= TOO_OLD:
            self.refresh()
        elif age >= FRESH_FOR and not self._lock.locked():
            threading.Thread(target=self.refresh, name="news for lists", daemon=True).start()

    def refresh(self) -> None:
        """Look for news, unless somebody just did; never raises."""
        if self._tick() - self._checked < FRESH_FOR or not self._lock.acquire(blocking=False):
            return
        try:
            self._checked = self._tick()
            self._look_at_products()
            self._load_model()
            self._look_who_was_forgotten()
        except Unavailable:
            log.warning("serving from memory: the database is away")
        finally:
            self._lock.release()

    def _load_model(self) -> None:
        """The one that is chosen; where it cannot be read, the one that serves already goes on, and a process
        that has none yet takes the newest one before that can be read."""
        try:
            serving = self._serving.get("main")
        except NotFound:
            return
        wanted = serving.model
        if wanted is None or wanted == self.version:
            self.problem = ""
            return
        if wanted == self._damaged[0] and self._checked < self._damaged[1]:
            return
        self._damaged = (wanted, self._checked + AGAIN)
        self.problem = self._serve(wanted)
        if self.problem and self.version is None:
            for older in serving.previous:
                if not self._serve(older):
                    break

    def _serve(self, model_id: str) -> str:
        """Why this model cannot serve; "" when it does."""
        try:
            model = self._models.get(model_id)
            lists = self._open(model)
        except NotFound as missing:
            log.exception("the model or its file is not there, the one before goes on serving")
            return f"the model or its file is not there: {missing}"
        except ValueError as error:
            log.exception("the model's file cannot be read, the one before goes on serving")
            return str(error)
        self.lists = lists
        self.version, self.algorithm, self.trained_at = model.id, model.algorithm, model.trained_at
        self._forgotten_to = model.forgotten_to or model.trained_at
        self._arrange()
        self.live.follow(model.learned_to)
        return ""

    def _open(self, model: Model) -> Lists:
        """Where the disk cannot be written the model is held in memory."""
        try:
            return self._files.open(model.file, lambda: self._models.attachment(model.id, model.file))
        except OSError:
            log.exception("the model cannot be kept on disk")
            return model_lists(self._models, model)

    def _arrange(self) -> None:
        self.shelves = Shelves(self.products, self.lists.trending)

    def _look_at_products(self) -> None:
        """A large catalogue is read less often: at most a twentieth of the time goes into it."""
        if self._checked < self._products_due:
            return
        started = time.perf_counter()
        every_one = every(self._product_documents.find, "by_status", limit=PAGE)
        self.products = {product.id: product for product in every_one}
        self._arrange()
        took = time.perf_counter() - started
        self._products_due = self._checked + min(60.0, 20 * took)

    def _look_who_was_forgotten(self) -> None:
        """Only those since the training looked: it has left out what was forgotten before. Clocks of machines
        differ by a little."""
        start = None if self._forgotten_to is None else self._forgotten_to - CLOCKS
        since = every(self._forgotten_documents.find, "by_time", limit=PAGE, start=start)
        self.forgotten = {one.person: one.at for one in since}
