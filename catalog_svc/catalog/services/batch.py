"""Many buyers of one SKU in one process: those who wait share one write (design/checkout.md, "Hot SKUs")."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from catalog.domain import Availability, Stock
from chassis.couch import Repository

Apply = Callable[[Stock], Any]


class _Job:
    """One waiting change, and what came of it."""

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
        except Exception as error:  # noqa: BLE001 - it belongs to the one who asked, not to the others of the batch
            self.error = error


class StockWriter:
    """Applies changes to stock documents, batching what waits for the same SKU.

    The first to come writes; whoever arrives meanwhile queues, and the next writer takes the whole queue
    along.
    A change checks before it changes anything, so that one that is refused leaves the stock as it was.
    """

    def __init__(self, stock: Repository[Stock], after: Callable[[Availability, Stock], None]) -> None:
        """`after(availability before, stock)` runs in each write: facts, pruning."""
        self._stock = stock
        self._after = after
        self._mutex = threading.Lock()
        self._turns: dict[str, threading.Lock] = {}
        self._waiting: dict[str, list[_Job]] = {}

    def change(self, sku: str, apply: Apply) -> Any:
        """The answer of `apply(stock)`, stored. Raises what it raises, `NotFound`, `Busy` or
        `Unavailable`.
        """
        job = _Job(apply)
        with self._mutex:
            self._waiting.setdefault(sku, []).append(job)
            turn = self._turns.setdefault(sku, threading.Lock())
        with turn:
            if not job.done:
                self._write(sku)
        if job.error is not None:
            raise job.error
        return job.result

    def _write(self, sku: str) -> None:
        with self._mutex:
            jobs = self._waiting.pop(sku, [])
        try:
            self._stock.update(sku, lambda stock: self._apply(stock, jobs))
        except Exception as error:  # noqa: BLE001 - raised again in each thread that waits
            for job in jobs:
                job.error = job.error or error
        finally:
            for job in jobs:
                job.done = True

    def _apply(self, stock: Stock, jobs: list[_Job]) -> Stock:
        before = stock.availability
        for job in jobs:
            job.run(stock)
        self._after(before, stock)
        return stock
