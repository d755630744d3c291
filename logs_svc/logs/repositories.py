"""The collections of logs_svc, declared as data.

| database | holds | kept |
|---|---|---|
| `events-2026-11` | the events that arrived in that month | `EVENTS_KEPT_DAYS`, then dropped |
| `seen-2026-11` | the keys of that month's events, so that each counts once | the same |
| `rollups` | counts of events by day and month; the list of months | for ever: no person is in it |
| `identities` | the accounts that signed in within a session | `EVENTS_KEPT_DAYS` |
| `audit` | the audit trail and its chains | for ever |
| `events` | all events, in installations older than the monthly databases | until all of it is old |
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from chassis.couch import Collection, Index, View
from logs.domain import AuditEntry, Event, Head, Link, SessionIdentity

Pair = tuple[Any, Any]

#: The first part of each list's keys, by index. One view holds all lists: with one view each, every document
#: would be read five times.
LISTS = {"by_time": "t", "by_type": "y", "by_user": "u", "by_product": "p", "by_session": "s"}


def _lists(doc: dict[str, Any]) -> Iterator[Pair]:
    if doc.get("type") != "event":
        return
    at, id = doc["at"], doc["_id"]
    yield ["t", at, id], None
    yield ["y", doc["type_"], at, id], None
    for letter, name in (("u", "user"), ("p", "product_id"), ("s", "session")):
        if doc.get(name):
            yield [letter, doc[name], at, id], None


#: A document's `type` is its kind; what an entity calls `type` is stored as `type_`.
LISTS_VIEW = View(
    "lists",
    "function (doc) { if (doc.type !== 'event') return; var at = doc.at, id = doc._id;"
    " emit(['t', at, id], null); emit(['y', doc.type_, at, id], null);"
    " if (doc.user) emit(['u', doc.user, at, id], null);"
    " if (doc.product_id) emit(['p', doc.product_id, at, id], null);"
    " if (doc.session) emit(['s', doc.session, at, id], null); }",
    "_count",
    _lists,
)

#: Events as the admin and the services see them, in any database; `EventStore` serves these indexes.
EVENTS = Collection(
    database="events",
    kind="event",
    type=Event,
    indexes=(
        Index("by_time", ("at",)),
        Index("by_type", ("type", "at")),
        Index("by_user", ("user", "at")),
        Index("by_product", ("product_id", "at")),
        Index("by_session", ("session", "at")),
    ),
)


def events_of(database: str) -> Collection[Event]:
    """Return the collection of events of one database."""
    return replace(EVENTS, database=database, indexes=(), views=(LISTS_VIEW,))


@dataclass(slots=True)
class Key:
    """The key of an event that was stored; `batch` is the write that stored it."""

    id: str
    batch: str = ""
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


def keys_of(database: str) -> Collection[Key]:
    return Collection(database=database, kind="seen", type=Key)


def _series(doc: dict[str, Any]) -> Iterator[Pair]:
    if doc.get("type") == "day":
        yield [doc["day"][:7], doc["day"]], doc["series"]


def _revenue(doc: dict[str, Any]) -> Iterator[Pair]:
    if doc.get("type") == "day":
        for currency, amount in doc["revenue"].items():
            yield [currency, doc["day"]], amount


@dataclass(slots=True)
class Day:
    """The document of a day's rollup, which `Rollups` reads and writes."""

    id: str
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


#: The figures of a range come from stored reductions: `_sum` over lists of numbers, one row a day.
ROLLUPS = Collection(
    database="rollups",
    kind="day",
    type=Day,
    views=(
        View(
            "series",
            "function (doc) { if (doc.type === 'day') emit([doc.day.slice(0, 7), doc.day], doc.series); }",
            "_sum",
            _series,
        ),
        View(
            "revenue",
            "function (doc) { if (doc.type !== 'day') return; for (var currency in doc.revenue)"
            " emit([currency, doc.day], doc.revenue[currency]); }",
            "_sum",
            _revenue,
        ),
    ),
)


def _by_account(doc: dict[str, Any]) -> Iterator[Pair]:
    if doc.get("type") == "tie":
        for account in doc["accounts"]:
            yield [account, doc["_id"]], None


SESSION_IDENTITIES = Collection(
    database="ties",
    kind="tie",
    type=SessionIdentity,
    indexes=(Index("by_time", ("seen",)),),
    views=(
        View(
            "by_account",
            "function (doc) { if (doc.type === 'tie') doc.accounts.forEach(function (account) {"
            " emit([account, doc._id], null); }); }",
            None,
            _by_account,
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
LINKS = Collection(database="audit", kind="link", type=Link, indexes=(Index("by_entry", ("entry",)),))
HEADS = Collection(database="audit", kind="head", type=Head)

FIXED = (ROLLUPS, SESSION_IDENTITIES, AUDIT, LINKS, HEADS)


def of_month(month: str) -> tuple[Collection[Any], ...]:
    """Return the collections of a month."""
    return events_of(f"events-{month}"), keys_of(f"seen-{month}")
