"""What a service says about its documents, as data: collections, indexes, views; and what reads answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

T = TypeVar("T")

Document = dict[str, Any]
Mapper = Callable[[Document], Iterable[tuple[Any, Any]]]

#: Fields of an entity whose names mean something else in a document.
_STORED_NAMES = {"type": "type_", "schema": "schema_"}


def stored_name(name: str) -> str:
    """Return the name under which an entity's own field is stored: `type` and `schema` are the codec's."""
    return _STORED_NAMES.get(name, name)


@dataclass(frozen=True)
class Index:
    """Fields by which a collection is listed, in that order, then by id.

    Dotted paths reach into nested parts. A document that lacks one of the fields is not in the index; a field
    that is null is.
    """

    name: str
    fields: tuple[str, ...]


@dataclass(frozen=True)
class View:
    """A CouchDB view: `map` is JavaScript, `reduce` one of `_sum`, `_count`, `_stats` or nothing.

    `mapper` is the same map in Python, for the in-memory twin: document -> (key, value) pairs.
    """

    name: str
    map: str
    reduce: str | None = None
    mapper: Mapper | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Design:
    """A view as it is stored.

    Its name carries a hash of its definition, so that old and new code run side by side.
    """

    name: str
    map: str
    reduce: str | None
    mapper: Mapper | None = field(compare=False)


@dataclass(frozen=True)
class Row:
    """One row of a view; `id` is the document's full `_id`, empty for a reduced row."""

    id: str
    key: Any
    value: Any


@dataclass(frozen=True)
class Page(Generic[T]):
    """A part of a list; `next` is the cursor of the part that follows, None at the end."""

    items: list[T]
    next: str | None = None

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True)
class Collection(Generic[T]):
    """All documents of one kind.

    `_id` is `<kind>:<id>`, `type` the kind, `schema` the shape they are written in. `upgraders[n]` turns a
    document of schema n into one of n + 1, on read.
    """

    database: str
    kind: str
    type: type[T]
    schema: int = 1
    upgraders: Mapping[int, Callable[[Document], Document]] = field(default_factory=dict, hash=False)
    indexes: tuple[Index, ...] = ()
    views: tuple[View, ...] = ()

    def index(self, name: str) -> Index:
        """Return the declared index of that name; ValueError when there is none."""
        for index in self.indexes:
            if index.name == name:
                return index
        raise ValueError(f"{self.kind} has no index {name!r}, only {[i.name for i in self.indexes]}")

    def designs(self) -> dict[str, Design]:
        """Return what `ensure` builds: each view by its name, each index as a view named `index:<name>`."""
        found = {f"index:{i.name}": _design(self.kind, _index_view(self.kind, i)) for i in self.indexes}
        return found | {v.name: _design(self.kind, v) for v in self.views}


def _design(kind: str, view: View) -> Design:
    digest = hashlib.sha256(f"{view.map}\0{view.reduce}".encode()).hexdigest()[:8]
    return Design(f"{kind}.{view.name}-{digest}", view.map, view.reduce, view.mapper)


def _index_view(kind: str, index: Index) -> View:
    """Return the view of `[field, …, _id]` that an index is.

    It pages by key, counts by `_count`, and is the same on every server.
    """
    paths = [
        [stored_name(part) for part in path.split(".")[:1]] + path.split(".")[1:] for path in index.fields
    ]
    script = (  # noqa: UP031 - JavaScript is full of braces
        "function (doc) { if (doc.type !== %s) return; var key = []; var paths = %s;"
        " for (var i = 0; i < paths.length; i++) { var value = doc;"
        " for (var j = 0; j < paths[i].length; j++) {"
        " if (value === null || typeof value !== 'object') return; value = value[paths[i][j]];"
        " if (value === undefined) return; } key.push(value); }"
        " key.push(doc._id); emit(key, null); }"
    ) % (json.dumps(kind), json.dumps(paths))
    return View(f"by-{index.name}", script, "_count", _index_mapper(kind, paths))


def _index_mapper(kind: str, paths: list[list[str]]) -> Mapper:
    def mapper(document: Document) -> Iterator[tuple[Any, Any]]:
        if document.get("type") != kind:
            return
        key = []
        for path in paths:
            value: Any = document
            for part in path:
                if not isinstance(value, dict) or part not in value:
                    return
                value = value[part]
            key.append(value)
        yield [*key, document["_id"]], None

    return mapper
