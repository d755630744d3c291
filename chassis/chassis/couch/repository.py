"""What services see of a collection of documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from .collection import Collection, Page, Row

T = TypeVar("T")


class Repository(Protocol[T]):
    """The operations that services have on a collection.

    Each raises NotFound, Conflict, Busy or Unavailable of `chassis.couch`.
    """

    collection: Collection[T]

    def get(self, id: str) -> T:
        """Return the entity; NotFound also for an id that could not exist."""

    def get_many(self, ids: Sequence[str]) -> list[T]:
        """In the order of `ids`, missing ones left out."""

    def add(self, entity: T) -> T:
        """Store a new one, `Conflict` when its id is taken: unique means `_id`. Its `rev` is set."""

    def add_many(self, entities: Sequence[T]) -> list[bool]:
        """Store new ones in one request, each by itself: False for each whose id is taken."""

    def save(self, entity: T) -> T:
        """Store if nobody else did since it was read, else raise Conflict.

        Its `rev` is raised, its `version` is not.
        """

    def update(
        self,
        id: str,
        change: Callable[[T], T | None],
        *,
        attempts: int = 25,
        create: Callable[[], T] | None = None,
    ) -> T:
        """Read, apply `change`, save; again on conflict, with jitter, for 3 s at most, then `Busy`.

        Of one process one thread at a time changes an entity; `COUCHDB_QUEUE` more wait for it, a second at
        most. Whoever comes after them gets `Busy` after 50 ms, so that other entities find a thread.

        `change` may mutate its argument and return None; it runs once per attempt, so it must do nothing
        else. What it raises comes through. When it changes nothing, nothing is written. With `create` a
        missing entity is made and then changed.
        """

    def delete(self, entity: T) -> None:
        """Remove it if nobody else wrote since it was read. Never for what has an outbox."""

    def find(
        self, index: str, where: Mapping[str, Any] | None = None, *, descending: bool = False,
        limit: int = 24, cursor: str | None = None, start: Any = None, end: Any = None,
    ) -> Page[T]:  # fmt: skip
        """Return a page of an index, in its order.

        `where` gives values of its leading fields; `start <= value < end` bounds the field after them.
        The index "id" is always there. Raises BadCursor for a cursor that is not from this list.
        """

    def count(self, where: Mapping[str, Any] | None = None, *, index: str | None = None) -> int:
        """Count the documents that have these values in the leading fields of an index.

        By default the first index that can say is used.
        """

    def rows(
        self, view: str, *, key: Any = None, keys: Sequence[Any] | None = None, start: Any = None,
        end: Any = None, group: bool = False, group_level: int | None = None, descending: bool = False,
        limit: int | None = None, reduce: bool = True,
    ) -> list[Row]:  # fmt: skip
        """Return rows of a declared view.

        `start` and `end` are both included, and swapped by the caller when descending.
        """

    def attach(self, entity: T, name: str, data: bytes, content_type: str) -> T: ...

    def attachment(self, id: str, name: str) -> bytes: ...

    def detach(self, entity: T, name: str) -> T: ...


def iter_all(
    find: Callable[..., Page[T]],
    index: str,
    where: Mapping[str, Any] | None = None,
    *,
    limit: int = 200,
    **more: Any,
) -> Iterator[T]:
    """Yield all that a repository's `find` lists, one after the other, `limit` of them a request.

    What is changed meanwhile so that it leaves the list costs none of the others. `more`: as of `find`.
    """
    cursor: str | None = None
    while True:
        page = find(index, where, limit=limit, cursor=cursor, **more)
        yield from page.items
        cursor = page.next
        if cursor is None:
            return
