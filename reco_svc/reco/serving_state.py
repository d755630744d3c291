"""The serving state: the served model and the products on sale, held in memory and kept fresh.

Lists are answered from memory. A background thread checks the documents for a newer model and changed
products, at most every two seconds. The last state is served while the database is unavailable.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from chassis.couch import NotFound, Repository, Unavailable, iter_all
from reco.domain import CategoryRanking, ErasureRequest, Lists, Model, Product, Serving
from reco.model_files import ModelFiles
from reco.recent_events import RecentEvents
from reco.services.model_loader import model_lists

log = logging.getLogger(__name__)

REFRESH_INTERVAL = 2.0  # seconds
MAX_STALENESS = 10.0  # seconds without a request after which the next one waits for a refresh
PAGE = 200
CLOCK_SKEW = timedelta(minutes=1)
RETRY_AFTER = 30.0  # seconds until a model that could not be read is tried again


class ServingState:
    """A `Snapshot` for the recommendations (services/recommendations.py)."""

    def __init__(
        self,
        *,
        serving: Repository[Serving],
        models: Repository[Model],
        products: Repository[Product],
        forgotten: Repository[ErasureRequest],
        recent_events: RecentEvents,
        files: ModelFiles,
        tick: Callable[[], float] = time.monotonic,
    ) -> None:
        self._serving, self._models, self._product_documents = serving, models, products
        self._files = files
        self._forgotten_documents, self.recent_events = forgotten, recent_events
        self._tick, self._checked, self._products_due = tick, float("-inf"), float("-inf")
        self._lock = threading.Lock()
        self.version: str | None = None
        self.algorithm = "popularity"
        self.trained_at: datetime | None = None
        self._forgotten_to: datetime | None = None
        self.lists = Lists()
        self.products: dict[str, Product] = {}
        self.ranking = CategoryRanking({}, [])
        self.forgotten: dict[str, datetime] = {}
        self._damaged: tuple[str | None, float] = (None, float("-inf"))
        self.problem = ""
        """Why the model that was chosen does not serve; empty when it does."""

    def wake(self) -> None:
        """Refresh the state in the background, or before returning if it is too old."""
        age = self._tick() - self._checked
        if age >= MAX_STALENESS:
            self.refresh()
        elif age >= REFRESH_INTERVAL and not self._lock.locked():
            threading.Thread(target=self.refresh, name="refresh serving state", daemon=True).start()

    def refresh(self) -> None:
        """Read changes, unless another thread just did; never raises."""
        if self._tick() - self._checked < REFRESH_INTERVAL or not self._lock.acquire(blocking=False):
            return
        try:
            self._checked = self._tick()
            self._refresh_products()
            self._load_model()
            self._refresh_forgotten()
        except Unavailable:
            log.warning("serving from memory: the database is unavailable")
        finally:
            self._lock.release()

    def _load_model(self) -> None:
        """Load the chosen model.

        If it cannot be read, the served one stays; a process that has none yet serves the newest previous
        model that can be read.
        """
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
        self._damaged = (wanted, self._checked + RETRY_AFTER)
        self.problem = self._serve(wanted)
        if self.problem and self.version is None:
            for older in serving.previous:
                if not self._serve(older):
                    break

    def _serve(self, model_id: str) -> str:
        """Serve a model; return the reason if it cannot be served, else ""."""
        try:
            model = self._models.get(model_id)
            lists = self._open(model)
        except NotFound as missing:
            log.exception("the model or its file is missing; the previous one still serves")
            return f"the model or its file is not there: {missing}"
        except ValueError as error:
            log.exception("the model's file cannot be read; the previous one still serves")
            return str(error)
        self.lists = lists
        self.version, self.algorithm, self.trained_at = model.id, model.algorithm, model.trained_at
        self._forgotten_to = model.forgotten_to or model.trained_at
        self._arrange()
        self.recent_events.follow(model.learned_to)
        return ""

    def _open(self, model: Model) -> Lists:
        """Open the model's file, or hold it in memory if the disk cannot be written."""
        try:
            return self._files.open(model.file, lambda: self._models.attachment(model.id, model.file))
        except OSError:
            log.exception("the model cannot be stored on disk")
            return model_lists(self._models, model)

    def _arrange(self) -> None:
        self.ranking = CategoryRanking(self.products, self.lists.trending)

    def _refresh_products(self) -> None:
        """Read the products; a large catalogue is read less often, at most a twentieth of the time."""
        if self._checked < self._products_due:
            return
        started = time.perf_counter()
        every_one = iter_all(self._product_documents.find, "by_status", limit=PAGE)
        self.products = {product.id: product for product in every_one}
        self._arrange()
        took = time.perf_counter() - started
        self._products_due = self._checked + min(60.0, 20 * took)

    def _refresh_forgotten(self) -> None:
        """Read the erasure requests that the model's training has not applied.

        The clocks of machines differ by a little, so the start is a minute earlier.
        """
        start = None if self._forgotten_to is None else self._forgotten_to - CLOCK_SKEW
        since = iter_all(self._forgotten_documents.find, "by_time", limit=PAGE, start=start)
        self.forgotten = {one.person: one.at for one in since}
