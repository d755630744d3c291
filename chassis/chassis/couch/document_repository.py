"""Entities in a database: one aggregate is one document and one atomic write that carries its revision."""

from __future__ import annotations

import base64
import binascii
import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar, cast

from django.conf import settings

from chassis.bulkhead import Bulkhead, Full

from .codec import Codec, codec_for
from .collection import Collection, Design, Document, Page, Row
from .exceptions import BadCursor, Busy, Conflict, NotFound
from .store import Store, is_safe

T = TypeVar("T")

_UPDATE_SECONDS = 3.0
#: Of these, at most so many in the queue of this process; and so many where the queue is full.
_WAIT_SECONDS, _PASS_SECONDS = 1.0, 0.05
#: Sorts after every other value that a key may hold.
_LAST: dict[str, Any] = {"\ufff0": {}}
#: The index that every collection has: by id, without any view.
BY_ID = "id"


class StoredRepository(Generic[T]):
    """`Repository` over a `Store`: the one implementation, for CouchDB and for its in-memory twin."""

    def __init__(self, collection: Collection[T], store: Store) -> None:
        self.collection = collection
        self.store = store
        self._codec: Codec[T] = codec_for(collection)
        self._designs = collection.designs()
        self._bulkhead = Bulkhead(1 + settings.COUCHDB_QUEUE, long=_WAIT_SECONDS, short=_PASS_SECONDS)

    # -- one entity

    def get(self, id: str) -> T:
        if not is_safe(id):
            raise NotFound(f"{self.collection.kind}:{id[:60]!r}")
        return self._codec.decode(self.store.get(self._codec.document_id(id)))

    def get_many(self, ids: Sequence[str]) -> list[T]:
        documents = self.store.get_many([self._codec.document_id(id) for id in ids if is_safe(id)])
        return [self._codec.decode(document) for document in documents]

    def add(self, entity: T) -> T:
        return self._put(entity, self._new_document(entity))

    def _new_document(self, entity: T) -> Document:
        document = self._codec.encode(entity)
        if not is_safe(cast("Any", entity).id):
            raise ValueError(f"{document['_id']!r} is not fit to be an id")
        document.pop("_rev", None)
        return document

    def add_many(self, entities: Sequence[T]) -> list[bool]:
        wanted: dict[str, tuple[int, Document]] = {}
        for place, entity in enumerate(entities):
            document = self._new_document(entity)
            wanted.setdefault(document["_id"], (place, document))
        stored = [False] * len(entities)
        revs = self.store.put_new([document for _, document in wanted.values()]) if wanted else []
        for (place, _), rev in zip(wanted.values(), revs, strict=True):
            if rev is not None:
                self._with_rev(entities[place], rev)
                stored[place] = True
        return stored

    def save(self, entity: T) -> T:
        if not cast("Any", entity).rev:
            raise Conflict(f"{cast('Any', entity).id} was never stored; add it")
        return self._put(entity, self._codec.encode(entity))

    def _put(self, entity: T, document: Document) -> T:
        return self._with_rev(entity, self.store.put(document))

    def _with_rev(self, entity: T, rev: str) -> T:
        object.__setattr__(entity, "rev", rev)
        return entity

    def update(
        self,
        id: str,
        change: Callable[[T], T | None],
        *,
        attempts: int = 25,
        create: Callable[[], T] | None = None,
    ) -> T:
        end = time.monotonic() + _UPDATE_SECONDS
        try:
            # Threads of one process take turns, so that they do not spend their attempts on each other; the
            # revision is what keeps writes apart.
            with self._bulkhead.alone(id):
                return self._update(id, change, create, attempts, end)
        except Full as full:
            raise Busy(f"{self.collection.kind}:{id}: {full}") from None

    def _update(
        self,
        id: str,
        change: Callable[[T], T | None],
        create: Callable[[], T] | None,
        attempts: int,
        end: float,
    ) -> T:
        for attempt in range(attempts):
            try:
                return self._update_once(id, change, create)
            except Conflict:
                if time.monotonic() > end:
                    break
                time.sleep(random.uniform(0.002, min(0.12, 0.01 * 1.3**attempt)))  # noqa: S311 - only jitter
        raise Busy(f"{self.collection.kind}:{id} is written by too many at once")

    def _update_once(self, id: str, change: Callable[[T], T | None], create: Callable[[], T] | None) -> T:
        try:
            entity = self.get(id)
            before: Document | None = self._codec.encode(entity)
        except NotFound:
            if create is None:
                raise
            entity, before = create(), None
        entity = change(entity) or entity
        if before is None:
            return self.add(entity)
        after = self._codec.encode(entity)
        return entity if after == before else self._put(entity, after)

    def delete(self, entity: T) -> None:
        known = cast("Any", entity)
        self.store.delete(self._codec.document_id(known.id), known.rev)

    # -- lists

    def find(
        self, index: str, where: Mapping[str, Any] | None = None, *, descending: bool = False,
        limit: int = 24, cursor: str | None = None, start: Any = None, end: Any = None,
    ) -> Page[T]:  # fmt: skip
        if index == BY_ID:
            return self._find_by_id(where, descending, limit, cursor, start, end)
        fields = self.collection.index(index).fields
        prefix = self._prefix(fields, where or {})
        low = prefix if start is None else [*prefix, self._codec.value(start)]
        high = [*prefix, _LAST] if end is None else [*prefix, self._codec.value(end)]
        first, last = (high, low) if descending else (low, high)
        seen = None if cursor is None else self._seen(cursor, prefix, len(fields) + 1)
        query = {
            "startkey": first if seen is None else seen,
            "endkey": last,
            "descending": descending,
            "limit": limit + 2,
            "reduce": False,
            "include_docs": True,
        }
        rows = self.store.view(self._designs[f"index:{index}"], query)
        return self._page([row for row in rows if row["key"] != seen], limit)

    def _find_by_id(
        self, where: Mapping[str, Any] | None, descending: bool, limit: int, cursor: str | None,
        start: Any, end: Any,
    ) -> Page[T]:  # fmt: skip
        if where:
            raise ValueError("the index `id` has no leading fields")
        low = self._codec.document_id(start or "")
        high = self._codec.document_id(end or "\ufff0")
        first, last = (high, low) if descending else (low, high)
        seen = None if cursor is None else self._seen(cursor, [], 1)[0]
        if seen is not None and not (isinstance(seen, str) and low <= seen <= high):
            raise BadCursor(cursor)
        query = {
            "startkey": seen or first,
            "endkey": last,
            "descending": descending,
            "limit": limit + 2,
            "include_docs": True,
        }
        rows = [row for row in self.store.all_docs(query) if row["id"] not in (seen, high)]
        return self._page([{**row, "key": [row["id"]]} for row in rows], limit)

    def _seen(self, cursor: str, prefix: list[Any], width: int) -> list[Any]:
        """Return the key of the row after which to go on: it ends with the id of a document of this kind."""
        key = _read_cursor(cursor, prefix, width)
        if not str(key[-1]).startswith(self._codec.document_id("")):
            raise BadCursor(cursor[:60])
        return key

    def _prefix(self, fields: Sequence[str], where: Mapping[str, Any]) -> list[Any]:
        if set(fields[: len(where)]) != set(where):
            raise ValueError(f"{sorted(where)} are not the leading fields of {list(fields)}")
        return [self._codec.value(where[name]) for name in fields[: len(where)]]

    def _page(self, rows: Sequence[Mapping[str, Any]], limit: int) -> Page[T]:
        # A document deleted since the row was read has no `doc`; it is left out.
        items = [self._codec.decode(row["doc"]) for row in rows[:limit] if row.get("doc")]
        more = len(rows) > limit > 0
        return Page(items, _write_cursor(rows[limit - 1]["key"]) if more else None)

    def count(self, where: Mapping[str, Any] | None = None, *, index: str | None = None) -> int:
        where = where or {}
        name = index or self._index_for(where)
        if name is None or name == BY_ID:
            low, high = self._codec.document_id(""), self._codec.document_id("\ufff0")
            return len(self.store.all_docs({"startkey": low, "endkey": high}))
        prefix = self._prefix(self.collection.index(name).fields, where)
        if not prefix:
            return self.store.total(self._designs[f"index:{name}"])
        params = {"startkey": prefix, "endkey": [*prefix, _LAST]}
        rows = self.store.view(self._designs[f"index:{name}"], params)
        return int(rows[0]["value"]) if rows else 0

    def _index_for(self, where: Mapping[str, Any]) -> str | None:
        """Prefer an index of plain fields: a path may lead into a part that a document lacks."""
        fitting = [i for i in self.collection.indexes if set(i.fields[: len(where)]) == set(where)]
        fitting.sort(key=lambda index: any("." in name for name in index.fields))
        if where and not fitting:
            raise ValueError(f"{self.collection.kind} has no index that begins with {sorted(where)}")
        return fitting[0].name if fitting else None

    def rows(
        self, view: str, *, key: Any = None, keys: Sequence[Any] | None = None, start: Any = None,
        end: Any = None, group: bool = False, group_level: int | None = None, descending: bool = False,
        limit: int | None = None, reduce: bool = True,
    ) -> list[Row]:  # fmt: skip
        design = self._design(view)
        bounds = {"key": key, "keys": keys, "startkey": start, "endkey": end}
        params = {name: self._codec.value(value) for name, value in bounds.items() if value is not None}
        if descending:
            params["descending"] = True
        if design.reduce:
            params |= _grouping(reduce, group, group_level)
        if limit is not None:
            params["limit"] = limit
        return [Row(row.get("id", ""), row["key"], row["value"]) for row in self.store.view(design, params)]

    def _design(self, view: str) -> Design:
        if view not in self._designs:
            raise ValueError(f"{self.collection.kind} has no view {view!r}")
        return self._designs[view]

    # -- attachments

    def attach(self, entity: T, name: str, data: bytes, content_type: str) -> T:
        known, id = cast("Any", entity), self._attachable(entity, name)
        return self._with_files(entity, self.store.attach(id, known.rev, name, data, content_type))

    def attachment(self, id: str, name: str) -> bytes:
        if not is_safe(id) or not is_safe(name):
            raise NotFound(f"{id}/{name}")
        return self.store.attachment(self._codec.document_id(id), name)

    def detach(self, entity: T, name: str) -> T:
        known, id = cast("Any", entity), self._attachable(entity, name)
        return self._with_files(entity, self.store.detach(id, known.rev, name))

    def _attachable(self, entity: T, name: str) -> str:
        if not is_safe(name) or name.startswith("_"):
            raise ValueError(f"{name!r} is not fit to name an attachment")
        return self._codec.document_id(cast("Any", entity).id)

    def _with_files(self, entity: T, rev: str) -> T:
        """Write the attachments' stubs again with every save, or CouchDB drops them; `extra` keeps them."""
        known = cast("Any", entity)
        stored = self.store.get(self._codec.document_id(known.id)).get("_attachments")
        known.extra.pop("_attachments", None)
        if stored:
            known.extra["_attachments"] = stored
        return self._with_rev(entity, rev)


def _grouping(reduce: bool, group: bool, level: int | None) -> dict[str, Any]:
    if not reduce:
        return {"reduce": False}
    return {"group_level": level} if level else {"group": group}


def _write_cursor(key: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(key, separators=(",", ":")).encode()).decode().rstrip("=")


def _read_cursor(cursor: str, prefix: list[Any], width: int) -> list[Any]:
    """Return the key of the last row that was given; refuse one that leads into another part of the index."""
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise BadCursor(cursor[:60]) from error
    if not isinstance(key, list) or len(key) != width or key[: len(prefix)] != prefix:
        raise BadCursor(cursor[:60])
    if any(isinstance(part, dict | list) for part in key[len(prefix) :]):  # no field of an index is one
        raise BadCursor(cursor[:60])
    return key
