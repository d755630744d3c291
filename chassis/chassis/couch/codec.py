"""Entities to documents and back, compiled once per collection (cattrs).

Shapes: nested dataclasses are objects, enums their values, tuples lists, datetimes RFC 3339 in UTC with
milliseconds. Any dataclass with a field `extra` keeps the fields that it does not know, so that old code
does not erase what newer code wrote.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, Generic, TypeVar, cast

from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from .collection import Collection, Document, stored_name

T = TypeVar("T")

#: Kept by the codec itself and not a part of the entity. `write` names the write that made a revision.
_OWN = frozenset({"_id", "_rev", "type", "schema", "write"})


def to_text(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds: texts sort as the times do."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_moment(text: str) -> datetime:
    """Return an aware datetime from RFC 3339 text."""
    return datetime.fromisoformat(text)


class Codec(Generic[T]):
    """Between the entities and the documents of one collection."""

    def __init__(self, collection: Collection[T]) -> None:
        self.collection = collection
        cls = cast("Any", collection.type)
        names = [f.name for f in dataclasses.fields(cls)]
        self._renamed = [(name, stored_name(name)) for name in names if stored_name(name) != name]
        self._structure = converter.get_structure_hook(cls)
        self._unstructure = converter.get_unstructure_hook(cls)

    def document_id(self, id: str) -> str:
        return f"{self.collection.kind}:{id}"

    def entity_id(self, document_id: str) -> str:
        return document_id[len(self.collection.kind) + 1 :]

    def decode(self, document: Document) -> T:
        """Return the entity of a document, upgraded to the present schema."""
        schema = document.get("schema", 1)
        for step in range(schema, self.collection.schema):
            document = self.collection.upgraders[step](dict(document))
        fields = {k: v for k, v in document.items() if k not in _OWN}
        for name, stored in self._renamed:
            fields[name] = fields.pop(stored, None)
        fields["id"] = self.entity_id(document["_id"])
        fields["rev"] = document.get("_rev", "")
        if schema > self.collection.schema:
            fields["schema"] = schema  # written by newer code: kept as an unknown field
        return cast("T", self._structure(fields, self.collection.type))

    def encode(self, entity: T) -> Document:
        """Return the document of an entity, with `_id` and, unless it is new, `_rev`."""
        document = cast("Document", self._unstructure(entity))
        newer = document.get("schema", 0) if ("schema", "schema_") not in self._renamed else 0
        for name, stored in self._renamed:
            document[stored] = document.pop(name)
        document["_id"] = self.document_id(document.pop("id"))
        document["type"] = self.collection.kind
        document["schema"] = max(newer, self.collection.schema)
        rev = document.pop("rev")
        if rev:
            document["_rev"] = rev
        return document

    def value(self, value: Any) -> Any:
        """Return a value as it stands in documents: to compare with, in a key."""
        return converter.unstructure(value)


@cache
def codec_for(collection: Collection[T]) -> Codec[T]:
    return Codec(collection)


def _has_extra(cls: Any) -> bool:
    return dataclasses.is_dataclass(cls) and any(f.name == "extra" for f in dataclasses.fields(cls))


def _structure_with_extra(cls: Any) -> Callable[[Any, Any], Any]:
    structure = make_dict_structure_fn(cls, converter, extra=override(omit=True))
    known = {f.name for f in dataclasses.fields(cls)} - {"extra"}

    def hook(fields: dict[str, Any], _: Any) -> Any:
        entity = structure(fields, cls)
        unknown = {k: v for k, v in fields.items() if k not in known}
        if unknown:
            object.__setattr__(entity, "extra", unknown)
        return entity

    return hook


def _unstructure_with_extra(cls: Any) -> Callable[[Any], Any]:
    unstructure = make_dict_unstructure_fn(cls, converter, extra=override(omit=True))

    def hook(entity: Any) -> Any:
        fields = unstructure(entity)
        return {**entity.extra, **fields} if entity.extra else fields

    return hook


def _converter() -> Converter:
    made = Converter(
        detailed_validation=False, unstruct_collection_overrides={tuple: list, set: sorted, frozenset: sorted}
    )
    made.register_unstructure_hook(datetime, to_text)
    made.register_structure_hook(datetime, lambda text, _: to_moment(text))
    made.register_unstructure_hook(date, lambda day: day.isoformat())
    made.register_structure_hook(date, lambda text, _: date.fromisoformat(text))
    made.register_structure_hook_factory(_has_extra, _structure_with_extra)
    made.register_unstructure_hook_factory(_has_extra, _unstructure_with_extra)
    return made


converter = _converter()
