"""The repositories that wirings and tests choose from."""

from __future__ import annotations

from typing import TypeVar

from .collection import Collection
from .document_repository import StoredRepository
from .memory import MemoryStore
from .repository import Repository
from .schema import open_store

T = TypeVar("T")


def couch_repository(collection: Collection[T]) -> Repository[T]:
    """Return the repository of a collection on the configured server, in memory for `memory:`."""
    return StoredRepository(collection, open_store(collection.database))


def MemoryRepository(collection: Collection[T], store: MemoryStore | None = None) -> Repository[T]:  # noqa: N802 - reads as a class
    """Return a repository in memory, empty unless a store is shared with another collection."""
    return StoredRepository(collection, store or MemoryStore(collection.database))
