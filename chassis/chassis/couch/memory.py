"""A database in memory: for unit tests, with the same answers (held by `chassis.testing.contracts`)."""

from __future__ import annotations

import copy
import hashlib
import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from .collate import reduce_values, sort_key
from .collection import Design, Document
from .exceptions import Conflict, NotFound
from .store import Change, Changes

_stores: dict[str, MemoryStore] = {}


def store(name: str) -> MemoryStore:
    """Return the process-wide database of that name, as `COUCHDB_URL=memory:` uses it."""
    return _stores.setdefault(name, MemoryStore(name))


def reset() -> None:
    """Empty all process-wide databases, between tests."""
    for each in _stores.values():
        each.clear()


class MemoryStore:
    """One database in the memory of this process."""

    def __init__(self, name: str = "memory") -> None:
        self.name = name
        self._changed = threading.Condition(threading.RLock())
        self.clear()

    def clear(self) -> None:
        with self._changed:
            self._documents: dict[str, Document] = {}
            self._dead: dict[str, str] = {}
            self._files: dict[tuple[str, str], bytes] = {}
            self._local: dict[str, Document] = {}
            self._log: dict[str, int] = {}
            self._built: dict[str, tuple[int, list[tuple[Any, str, Any]]]] = {}
            self._seq = 0
            self._changed.notify_all()

    # -- documents

    def get(self, id: str) -> Document:
        with self._changed:
            if id not in self._documents:
                raise NotFound(id)
            return copy.deepcopy(self._documents[id])

    def get_many(self, ids: Sequence[str]) -> list[Document]:
        with self._changed:
            return [copy.deepcopy(self._documents[id]) for id in ids if id in self._documents]

    def put(self, document: Document) -> str:
        plain = json.loads(json.dumps(document))
        with self._changed:
            current = self._documents.get(plain["_id"])
            if (current or {}).get("_rev") != plain.get("_rev"):
                raise Conflict(plain["_id"])
            self._keep_files(plain, current)
            return self._write(plain)

    def put_new(self, documents: Sequence[Document]) -> list[str | None]:
        return [self._put_new_one(document) for document in documents]

    def _put_new_one(self, document: Document) -> str | None:
        try:
            return self.put(document)
        except Conflict:
            return None

    def _keep_files(self, document: Document, current: Document | None) -> None:
        """As in CouchDB, an attachment whose stub is not written again is gone."""
        kept = document.get("_attachments", {})
        for name in (current or {}).get("_attachments", {}):
            if name not in kept:
                self._files.pop((document["_id"], name), None)

    def _write(self, document: Document) -> str:
        id = document["_id"]
        last = document.get("_rev") or self._dead.pop(id, "0-")
        digest = hashlib.md5(json.dumps(document, sort_keys=True).encode(), usedforsecurity=False).hexdigest()
        document["_rev"] = f"{int(last.split('-')[0]) + 1}-{digest}"
        self._documents[id] = document
        self._moved(id)
        return str(document["_rev"])

    def _moved(self, id: str) -> None:
        self._seq += 1
        self._log.pop(id, None)  # only the latest change of a document is in the feed
        self._log[id] = self._seq
        self._changed.notify_all()

    def delete(self, id: str, rev: str) -> None:
        with self._changed:
            if self.get(id)["_rev"] != rev:
                raise Conflict(id)
            self._documents.pop(id)
            self._dead[id] = f"{int(rev.split('-', maxsplit=1)[0]) + 1}-deleted"
            for key in [key for key in self._files if key[0] == id]:
                del self._files[key]
            self._moved(id)

    # -- lists

    def all_docs(self, params: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        with self._changed:
            rows = [(id, id, {"rev": doc["_rev"]}) for id, doc in sorted(self._documents.items())]
            return self._answer(rows, dict(params), None)

    def view(self, design: Design, params: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        query = dict(params)
        with self._changed:
            return self._answer(
                self._rows(design), query, design.reduce if query.pop("reduce", True) else None
            )

    def total(self, design: Design) -> int:
        with self._changed:
            return len(self._rows(design))

    def _rows(self, design: Design) -> list[tuple[Any, str, Any]]:
        if design.mapper is None:
            raise ValueError(f"view {design.name} has no `mapper`, so the in-memory twin cannot answer it")
        built = self._built.get(design.name)
        if built is None or built[0] != self._seq:
            rows = [
                (k, id, v)
                for id, doc in self._documents.items()
                for k, v in design.mapper(copy.deepcopy(doc))
            ]
            rows.sort(key=lambda row: (sort_key(row[0]), row[1]))
            built = self._built[design.name] = (self._seq, rows)
        return built[1]

    def _answer(
        self, rows: list[tuple[Any, str, Any]], query: dict[str, Any], reduce: str | None
    ) -> list[Mapping[str, Any]]:
        rows = _selected(rows, query)
        if reduce:
            return _reduced(rows, reduce, query)
        found = _cut(rows, query)
        if not query.get("include_docs"):
            return [{"id": id, "key": key, "value": value} for key, id, value in found]
        docs = self._documents
        return [{"id": i, "key": k, "value": v, "doc": copy.deepcopy(docs.get(i))} for k, i, v in found]

    # -- the feed

    def changes(self, since: Any, *, limit: int = 100, wait: float = 0.0) -> Changes:
        with self._changed:
            after = self._seq if since == "now" else int(since or 0)
            if self._seq <= after and wait:
                self._changed.wait(wait)
            moved = [(seq, id) for id, seq in self._log.items() if seq > after][:limit]
            results = [Change(seq, id, self._copy(id), id not in self._documents) for seq, id in moved]
            return Changes(results, results[-1].seq if results else max(after, 0))

    def _copy(self, id: str) -> Document | None:
        return copy.deepcopy(self._documents.get(id))

    def get_local(self, id: str) -> Document | None:
        with self._changed:
            return copy.deepcopy(self._local.get(id))

    def put_local(self, id: str, body: Document) -> None:
        with self._changed:
            self._local[id] = json.loads(json.dumps(body))

    def add_local(self, id: str, body: Document) -> bool:
        with self._changed:
            if id in self._local:
                return False
            self.put_local(id, body)
            return True

    # -- attachments

    def attach(self, id: str, rev: str, name: str, data: bytes, content_type: str) -> str:
        with self._changed:
            document = self._current(id, rev)
            stub = {"content_type": content_type, "length": len(data), "stub": True}
            document.setdefault("_attachments", {})[name] = stub
            self._files[id, name] = bytes(data)
            return self._write(document)

    def attachment(self, id: str, name: str) -> bytes:
        with self._changed:
            if (id, name) not in self._files:
                raise NotFound(f"{id}/{name}")
            return self._files[id, name]

    def detach(self, id: str, rev: str, name: str) -> str:
        with self._changed:
            document = self._current(id, rev)
            if self._files.pop((id, name), None) is not None:
                del document["_attachments"][name]
                if not document["_attachments"]:
                    del document["_attachments"]
            return self._write(document)

    def _current(self, id: str, rev: str) -> Document:
        document = self.get(id)
        if document["_rev"] != rev:
            raise Conflict(id)
        return document

    def ensure(self, designs: Iterable[Design]) -> None:
        """Nothing to build: views are computed when they are read."""


def _selected(rows: list[tuple[Any, str, Any]], query: Mapping[str, Any]) -> list[tuple[Any, str, Any]]:
    """Return the rows in the asked range, in the asked direction."""
    if "keys" in query:
        return [row for key in query["keys"] for row in rows if sort_key(row[0]) == sort_key(key)]
    if "key" in query:
        wanted = sort_key(query["key"])
        rows = [row for row in rows if sort_key(row[0]) == wanted]
    descending = bool(query.get("descending"))
    low, high = ("endkey", "startkey") if descending else ("startkey", "endkey")
    if low in query:
        bound = sort_key(query[low])
        rows = [row for row in rows if sort_key(row[0]) >= bound]
    if high in query:
        bound = sort_key(query[high])
        rows = [row for row in rows if sort_key(row[0]) <= bound]
    return rows[::-1] if descending else rows


def _cut(rows: list[Any], query: Mapping[str, Any]) -> list[Any]:
    skip, limit = query.get("skip", 0), query.get("limit")
    return rows[skip : None if limit is None else skip + limit]


def _reduced(
    rows: list[tuple[Any, str, Any]], reduce: str, query: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    level = query.get("group_level")
    if not query.get("group") and not level:
        return [{"key": None, "value": reduce_values(reduce, [row[2] for row in rows])}] if rows else []

    def group(row: tuple[Any, str, Any]) -> Any:
        key = row[0]
        return key[:level] if level and isinstance(key, list) else key

    parts = groupby(rows, key=lambda row: sort_key(group(row)))
    groups = [list(part) for _, part in parts]
    found = [{"key": group(part[0]), "value": reduce_values(reduce, [r[2] for r in part])} for part in groups]
    return _cut(found, query)
