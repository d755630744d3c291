"""Log of index repairs for staff: every replica has its own index, and all write here."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from catalog.domain import IndexRepair, IndexRepairs
from chassis.couch import CouchError, NotFound, Repository

log = logging.getLogger(__name__)

_ID = "all"


class Repair(Protocol):
    """Entry that was written again."""

    @property
    def product_id(self) -> str: ...
    @property
    def fault(self) -> str: ...
    @property
    def details(self) -> str: ...


class IndexRepairLog:
    """Log in one document for all replicas; failed writes are repeated with the next repair."""

    def __init__(
        self, repairs: Repository[IndexRepairs], clock: Callable[[], datetime], replica: str
    ) -> None:
        self._repairs = repairs
        self._clock = clock
        self._replica = replica
        self._pending: list[IndexRepair] = []
        self._lock = threading.Lock()

    def record(self, repairs: Sequence[Repair]) -> None:
        """Store the repairs; an unavailable store does not fail them."""
        now = self._clock()
        made = [IndexRepair(one.product_id, one.fault, one.details, self._replica, now) for one in repairs]
        with self._lock:
            self._pending = [*made, *self._pending]
            try:
                self._repairs.update(
                    _ID, lambda kept: kept.record(self._pending), create=lambda: IndexRepairs(_ID)
                )
            except CouchError as error:
                log.warning("%d index repairs will be stored later: %s", len(self._pending), error)
            else:
                self._pending = []

    def latest(self) -> IndexRepairs:
        """Return the stored repairs; none before the first."""
        try:
            return self._repairs.get(_ID)
        except NotFound:
            return IndexRepairs(_ID)
