"""What logs_svc stores, declared as data. Events and the audit trail are databases of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chassis.couch import Collection, Index, View
from logs.domain import AuditEntry, Event

Pair = tuple[Any, Any]


def _by_day(doc: dict[str, Any]) -> Iterator[Pair]:
    if doc.get("type") == "event":
        yield [doc["at"][:10], doc["type_"]], None


def _by_visitor(doc: dict[str, Any]) -> Iterator[Pair]:
    who = doc.get("session") or doc.get("user")
    if doc.get("type") == "event" and who:
        yield [doc["type_"], doc["at"][:10], who], None


def _by_product(doc: dict[str, Any]) -> Iterator[Pair]:
    if doc.get("type") == "event" and doc.get("product_id"):
        yield [doc["type_"], doc["at"][:10], doc["product_id"]], doc["quantity"]


def _by_query(doc: dict[str, Any]) -> Iterator[Pair]:
    if doc.get("type") == "event" and doc.get("query"):
        yield [doc["at"][:10], doc["query"]], None


EVENTS = Collection(
    database="events",
    kind="event",
    type=Event,
    indexes=(
        Index("by_time", ("at",)),
        Index("by_type", ("type", "at")),
        Index("by_user", ("user", "at")),
        Index("by_product", ("product_id", "at")),
        Index("by_arrival", ("arrived",)),
    ),
    # A document's `type` is its kind; what an entity calls `type` is stored as `type_`.
    views=(
        View(
            "by_day",
            "function (doc) { if (doc.type === 'event') emit([doc.at.slice(0, 10), doc.type_], null); }",
            "_count",
            _by_day,
        ),
        View(
            "by_visitor",
            "function (doc) { var who = doc.session || doc.user; if (doc.type === 'event' && who)"
            " emit([doc.type_, doc.at.slice(0, 10), who], null); }",
            "_count",
            _by_visitor,
        ),
        View(
            "by_product",
            "function (doc) { if (doc.type === 'event' && doc.product_id)"
            " emit([doc.type_, doc.at.slice(0, 10), doc.product_id], doc.quantity); }",
            "_sum",
            _by_product,
        ),
        View(
            "by_query",
            "function (doc) { if (doc.type === 'event' && doc.query)"
            " emit([doc.at.slice(0, 10), doc.query], null); }",
            "_count",
            _by_query,
        ),
    ),
)

AUDIT = Collection(
    database="audit",
    kind="entry",
    type=AuditEntry,
    indexes=(
        Index("by_time", ("at",)),
        Index("by_actor", ("actor", "at")),
        Index("by_object", ("object_id", "at")),
        Index("by_both", ("actor", "object_id", "at")),
    ),
)

COLLECTIONS = (EVENTS, AUDIT)
