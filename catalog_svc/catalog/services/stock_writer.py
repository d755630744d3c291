"""Group commit for stock: callers that wait for the same SKU in one process share one write."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from catalog.domain import Availability, Stock
from chassis.couch import Repository

Apply = Callable[[Stock], Any]


class _PendingChange:
    """Waiting change and its result."""

    __slots__ = ("apply", "done", "error", "result")

    def __init__(self, apply: Apply) -> None:
        self.apply = apply
        self.done = False
        self.error: Exception | None = None
        self.result: Any = None

    def run(self, stock: Stock) -> None:
        self.error = None
        try:
            self.result = self.apply(stock)
        except Exception as error:  # noqa: BLE001 - it belongs to its caller, not to the rest of the batch
            self.error = error


class StockWriter:
    """Applies changes to stock documents, and batches those that wait for the same SKU.

    The first caller writes; callers that arrive meanwhile queue, and the next writer takes the whole queue.
    A change checks before it changes anything, so a refused one leaves the stock as it was.
    """

    def __init__(self, stock: Repository[Stock], after: Callable[[Availability, Stock], None]) -> None:
        """Call `after(previous availability, stock)` in each write, to append events and prune."""
        self._stock = stock
        self._after = after
        self._mutex = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._queues: dict[str, list[_PendingChange]] = {}

    def change(self, sku: str, apply: Apply) -> Any:
        """Store the change `apply(stock)` and return its result.

        Raises what it raises, `NotFound`, `Busy` or `Unavailable`.
        """
        job = _PendingChange(apply)
        with self._mutex:
            self._queues.setdefault(sku, []).append(job)
            lock = self._locks.setdefault(sku, threading.Lock())
        with lock:
            if not job.done:
                self._write(sku)
        if job.error is not None:
            raise job.error
        return job.result

    def _write(self, sku: str) -> None:
        with self._mutex:
            jobs = self._queues.pop(sku, [])
        try:
            self._stock.update(sku, lambda stock: self._apply(stock, jobs))
        except Exception as error:  # noqa: BLE001 - raised again in each thread that waits
            for job in jobs:
                job.error = job.error or error
        finally:
            for job in jobs:
                job.done = True

    def _apply(self, stock: Stock, jobs: list[_PendingChange]) -> Stock:
        before = stock.availability
        for job in jobs:
            job.run(stock)
        self._after(before, stock)
        return stock
