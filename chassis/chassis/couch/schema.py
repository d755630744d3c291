"""Databases and views, made and built before the code that uses them."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.conf import settings

from . import memory
from .client import CouchStore
from .collection import Collection, Design
from .store import Store

log = logging.getLogger(__name__)


def open_store(database: str) -> Store:
    """Return the database of that name on the configured server, or in memory for `COUCHDB_URL=memory:`."""
    if settings.COUCHDB_URL == "memory:":
        return memory.store(database)
    return CouchStore(database)


def ensure(collections: Iterable[Collection[Any]], databases: Iterable[str] = ()) -> None:
    """Create and build what is missing; may be repeated, also by several at once."""
    designs: dict[str, list[Design]] = defaultdict(list)
    for name in databases:
        designs[name] += []
    for collection in collections:
        designs[collection.database] += collection.designs().values()
    for database, wanted in designs.items():
        open_store(database).ensure(wanted)
        log.info("database %s is ready with %d views", database, len(wanted))
