"""The event store: the events of all months as one collection.

Lists merge the months, and cursors continue across them.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from chassis.couch import BadCursor, Collection, Conflict, NotFound, Page
from chassis.couch.codec import codec_for, to_text
from chassis.couch.store import Store, is_safe
from logs import cursors, repositories
from logs.domain import LEGACY, Event, month_of, months
from logs.registry import MonthRegistry

_HIGH_KEY: dict[str, Any] = {"\ufff0": {}}  # sorts after every other value of a key
_PREFIX = "event:"
_BATCH_SIZE = 200

Key = list[Any]


class EventStore:
    """Read access to all events, with `get`, `get_many`, `find` and `count` like a `Repository`."""

    collection: Collection[Event] = repositories.EVENTS

    def __init__(self, registry: MonthRegistry) -> None:
        self._registry, self._open = registry, registry.open
        self._codec = codec_for(repositories.EVENTS)
        self._lists = repositories.events_of("any").designs()["lists"]

    # -- one event

    def get(self, id: str) -> Event:
        found = self.get_many([id])
        if not found:
            raise NotFound(f"event:{id[:60]!r}")
        return found[0]

    def get_many(self, ids: Sequence[str]) -> list[Event]:
        """Return events in the order of the ids, without the missing ones."""
        missing = [_PREFIX + id for id in dict.fromkeys(ids) if is_safe(id)]
        documents: dict[str, dict[str, Any]] = {}
        for database in self._databases()[::-1]:
            if not missing:
                break
            documents |= {doc["_id"]: doc for doc in self._open(database).get_many(missing)}
            missing = [id for id in missing if id not in documents]
        found = (documents.get(_PREFIX + id) for id in ids)
        return [self._codec.decode(document) for document in found if document]

    def update(self, id: str, update: Callable[[Event], None]) -> bool:
        """Change an event, retrying on conflicts; False if it does not exist."""
        for database in self._databases()[::-1]:
            store = self._open(database)
            try:
                while True:
                    event = self._codec.decode(store.get(_PREFIX + id))
                    update(event)
                    try:
                        store.put(self._codec.encode(event))
                    except Conflict:
                        continue
                    return True
            except NotFound:
                continue
        return False

    # -- lists

    def find(
        self, index: str, where: Mapping[str, Any] | None = None, *, descending: bool = False,
        limit: int = 24, cursor: str | None = None, start: Any = None, end: Any = None,
    ) -> Page[Event]:  # fmt: skip
        """Return a page over all months, with `start <= at < end`."""
        if index == "id":
            page = self.by_arrival(cursor, limit=limit)
            return Page([event for _, event in page.items], page.next)
        prefix = [repositories.LISTS[index], *(where or {}).values()]
        low = prefix if start is None else [*prefix, _text(start)]
        high = [*prefix, _HIGH_KEY] if end is None else [*prefix, _text(end)]
        resume_key = None if cursor is None else _resume_key(cursor, prefix)
        first, last = (high, low) if descending else (low, high)
        query = {
            "startkey": first if resume_key is None else resume_key,
            "endkey": last,
            "descending": descending,
            "reduce": False,
        }
        since = month_of(start) if isinstance(start, datetime) else None
        rows = self._merged(query, self._databases(since), resume_key, limit + 1)
        keys = [row for row, _ in zip(rows, range(limit + 1), strict=False)]
        items = self._read(keys[:limit])
        return Page(items, cursors.encode(*keys[limit - 1][0]) if len(keys) > limit > 0 else None)

    def _merged(
        self, query: dict[str, Any], databases: Sequence[str], resume_key: Key | None, limit: int
    ) -> Iterator[tuple[Key, str]]:
        """Iterate over (key, database) in the order of the keys, at most `limit` of each database."""
        streams = []
        for database in databases:
            rows = self._open(database).view(self._lists, {**query, "limit": limit + 1})
            streams.append([(row["key"], database) for row in rows if row["key"] != resume_key])
        # Within one list the texts after the prefix decide: the time, then the id.
        return heapq.merge(*streams, key=lambda pair: pair[0][-2:], reverse=query["descending"])

    def _read(self, keys: Sequence[tuple[Key, str]]) -> list[Event]:
        """Return the events of the keys in that order, without those deleted meanwhile."""
        wanted: dict[str, list[str]] = {}
        for key, database in keys:
            wanted.setdefault(database, []).append(key[-1])
        documents = {
            document["_id"]: document
            for database, ids in wanted.items()
            for document in self._open(database).get_many(ids)
        }
        return [self._codec.decode(documents[key[-1]]) for key, _ in keys if key[-1] in documents]

    def count(self, where: Mapping[str, Any] | None = None, *, index: str | None = None) -> int:
        """Count the events of a list; all of them by default."""
        names = tuple(where or {})
        letter = {
            (): "t", ("type",): "y", ("user",): "u", ("product_id",): "p", ("session",): "s",
        }.get(names) or repositories.LISTS[index or "by_time"]  # fmt: skip
        prefix = [letter, *(where or {}).values()]
        query = {"startkey": prefix, "endkey": [*prefix, _HIGH_KEY]}
        total = 0
        for database in self._databases():
            rows = self._open(database).view(self._lists, query)
            total += int(rows[0]["value"]) if rows else 0
        return total

    # -- in the order of arrival

    def by_arrival(self, cursor: str | None, *, limit: int, newest: bool = False) -> Page[tuple[str, Event]]:
        """Return (cursor, event) in order of arrival, starting after the cursor.

        Events of the legacy database come first, in no order. With `newest`, the newest come first.
        """
        database, after = _decode_position(cursor)
        found: list[tuple[str, Event]] = []
        more = False
        for name in self._databases_after(database, after)[:: -1 if newest else 1]:
            wanted = limit - len(found)
            start = after if not newest and name == (database or name) else ""
            documents = self._scan(self._open(name), start, wanted + 1, descending=newest)
            found += [(self._cursor(name, d["_id"]), self._codec.decode(d)) for d in documents[:wanted]]
            more = len(documents) > wanted
            if more:
                break
        return Page(found, found[-1][0] if more and found else None)

    def _databases_after(self, database: str, after: str) -> list[str]:
        """Return the databases that may hold something after that id, oldest first."""
        if database == LEGACY or not after:
            return self._databases()
        return [name for name in self._databases(months.month_of_id(after)) if name != LEGACY]

    @staticmethod
    def _scan(store: Store, after: str, limit: int, *, descending: bool = False) -> list[dict[str, Any]]:
        low, high = f"{_PREFIX}{after}", f"{_PREFIX}\ufff0"
        query = {
            "startkey": high if descending else low,
            "endkey": low if descending else high,
            "descending": descending,
            "limit": limit + 1,
            "include_docs": True,
        }
        rows = store.all_docs(query)
        return [row["doc"] for row in rows if row["id"] != low and row.get("doc")][:limit]

    @staticmethod
    def _cursor(database: str, document_id: str) -> str:
        id = document_id[len(_PREFIX) :]
        return cursors.encode(LEGACY, id) if database == LEGACY else cursors.encode("", id)

    # -- for services

    def scan(self, database: str) -> Iterator[list[dict[str, Any]]]:
        """Iterate over all event documents of a database by id, some hundred at a time."""
        store, after = self._open(database), ""
        while documents := self._scan(store, after, _BATCH_SIZE * 2):
            yield documents
            after = documents[-1]["_id"][len(_PREFIX) :]

    def _databases(self, since: str | None = None) -> list[str]:
        known = self._registry.active()
        return [*([LEGACY] if known.legacy else []), *(f"events-{month}" for month in known.since(since))]


def _text(value: Any) -> Any:
    return to_text(value) if isinstance(value, datetime) else value


def _resume_key(cursor: str, prefix: Key) -> Key:
    """Return the key after which to continue; raises BadCursor if it belongs to another list."""
    key = cursors.decode(cursor)
    if len(key) != len(prefix) + 2 or key[: len(prefix)] != prefix or not key[-1].startswith(_PREFIX):
        raise BadCursor(cursor[:60])
    return key


def _decode_position(cursor: str | None) -> tuple[str, str]:
    """Return (database, id) of a cursor of arrivals; the database is "" for the months."""
    if cursor is None:
        return "", ""
    key = cursors.decode(cursor)
    if len(key) != 2 or key[0] not in ("", LEGACY) or not is_safe(key[1]):
        raise BadCursor(cursor[:60])
    if not key[0] and months.month_of_id(key[1]) is None:
        raise BadCursor(cursor[:60])
    return key[0], key[1]
