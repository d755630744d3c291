"""Repairs of the search index, told to staff: every replica has an index of its own, and all write here."""

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


class Mended(Protocol):
    """An entry that was written anew."""

    @property
    def product_id(self) -> str: ...
    @property
    def fault(self) -> str: ...
    @property
    def details(self) -> str: ...


class IndexRepairLog:
    """One document for all replicas. What cannot be written now is written with the next repair."""

    def __init__(
        self, repairs: Repository[IndexRepairs], clock: Callable[[], datetime], replica: str
    ) -> None:
        self._repairs = repairs
        self._clock = clock
        self._replica = replica
        self._unwritten: list[IndexRepair] = []
        self._lock = threading.Lock()

    def record(self, mended: Sequence[Mended]) -> None:
        """Keep what was mended. A store that is away costs the repair nothing."""
        now = self._clock()
        made = [IndexRepair(one.product_id, one.fault, one.details, self._replica, now) for one in mended]
        with self._lock:
            self._unwritten = [*made, *self._unwritten]
            try:
                self._repairs.update(
                    _ID, lambda kept: kept.record(self._unwritten), create=lambda: IndexRepairs(_ID)
                )
            except CouchError as error:
                log.warning("%d repairs of the index are noted later: %s", len(self._unwritten), error)
            else:
                self._unwritten = []

    def latest(self) -> IndexRepairs:
        """The repairs that are remembered; none before the first."""
        try:
            return self._repairs.get(_ID)
        except NotFound:
            return IndexRepairs(_ID)
