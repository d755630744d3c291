"""One thing that happened, and how it is made from what a browser told."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from logs.domain.schema import BadData, checked

# What a browser may tell. A purchase is told by checkout alone.
REPORTED = (
    "view", "search", "click", "impression", "add_to_cart", "remove_from_cart", "checkout_started",
)  # fmt: skip
PURCHASE = "purchase"
TYPES = (*REPORTED, PURCHASE)
FUNNEL = ("view", "add_to_cart", "checkout_started", PURCHASE)

_JSON = json.JSONEncoder(ensure_ascii=False)
MOST_DATA = 2048  # bytes of an event's `data`, as JSON
OLDEST = timedelta(days=7)  # a browser that was offline; before that its clock is wrong

_FIELDS = frozenset({"id", "type", "product_id", "session_id", "at", "data"})
_REPORTED = frozenset(REPORTED)
_AS_KEPT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z", re.ASCII)
_SAFE = re.compile(r"[A-Za-z0-9_.:-]{1,64}\Z")


class NotAnEvent(Exception):
    """What was told is no event; the text says why."""


@dataclass(slots=True)
class Event:
    """One thing that happened. `at` is when; the id begins with a UUIDv7 of when it arrived, so that ids sort
    by arrival.

    `user` is an account's id, `session` a browser's, with its consent; `query` what was searched for, tidied.
    `batch` names the write that stored it. `arrived` is only in events of older installations.
    """

    id: str
    type: str
    at: datetime
    arrived: str = ""
    user: str | None = None
    session: str | None = None
    product_id: str | None = None
    quantity: int = 1
    query: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    batch: str = ""
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def forget_user(self) -> None:
        """What happened stays; who it was does not."""
        self.user = None
        self.session = None
        self.version += 1


@dataclass(slots=True)
class Told:
    """An event on its way into the store, which gives it its id. `at` is RFC 3339 text in UTC.

    `key` is the same for the same event told twice; None for one that nobody named. `amount` and `currency`
    are an order's total, on the first of its lines.
    """

    type: str
    at: str
    user: str | None = None
    session: str | None = None
    product_id: str | None = None
    quantity: int = 1
    query: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    key: str | None = None
    amount: int = 0
    currency: str = ""

    def document(self, id: str, batch: str) -> dict[str, Any]:
        """As it is stored: what the codec makes of an `Event`, without the way round."""
        return {
            "_id": f"event:{id}",
            "type": "event",
            "schema": 1,
            "type_": self.type,
            "at": self.at,
            "user": self.user,
            "session": self.session,
            "product_id": self.product_id,
            "quantity": self.quantity,
            "query": self.query,
            "data": self.data,
            "batch": batch,
            "version": 0,
        }


def told_event(told: Any, *, now: datetime, user: str | None, session: str | None) -> Told:
    """An event from what a browser told, which is not trusted: NotAnEvent says what is wrong with it.

    An `id` told twice by the same visitor is the same event. A time outside the last 7 days is moved in.
    """
    fields = _object(told)
    type = _type(fields)
    session = session or _safe(fields, "session_id")
    told_id = _safe(fields, "id")
    data = _data(type, fields.get("data"))
    return Told(
        type=type,
        at=_clamped(fields.get("at"), now),
        user=user,
        session=session,
        product_id=_safe(fields, "product_id"),
        query=search_query(data) if type == "search" else None,
        data=data,
        key=_scoped(user or session or "", told_id) if told_id else None,
    )


def search_query(data: Mapping[str, Any]) -> str | None:
    """What was searched for: lower case, single spaces, at most 100 characters."""
    words = data.get("q", data.get("query"))
    if not isinstance(words, str):
        return None
    return " ".join(words.lower().split())[:100] or None


def found_nothing(type: str, data: Mapping[str, Any]) -> bool:
    """Whether this is a search that says of itself that it had no results."""
    return type == "search" and any(data.get(name) == 0 for name in ("results", "count", "total"))


def moment(text: Any) -> datetime:
    """An aware time from RFC 3339 text; NotAnEvent."""
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            raise NotAnEvent("at: without a time zone")
        return found if found.tzinfo is UTC else found.astimezone(UTC)
    except (TypeError, ValueError, OverflowError) as error:
        raise NotAnEvent("at: not an RFC 3339 time") from error


@lru_cache(maxsize=512)
def text(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds: texts sort as the times do."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def _object(told: Any) -> dict[str, Any]:
    if not isinstance(told, dict):
        raise NotAnEvent("not an object")
    if not told.keys() <= _FIELDS:
        raise NotAnEvent(f"unknown field: {sorted(told.keys() - _FIELDS)[0][:40]}")
    return told


def _type(fields: Mapping[str, Any]) -> str:
    type = fields.get("type")
    if type == PURCHASE:
        raise NotAnEvent("type: purchases are told by checkout alone")
    if not isinstance(type, str) or type not in _REPORTED:
        raise NotAnEvent(f"type: one of {', '.join(REPORTED)}")
    return type


def _safe(fields: Mapping[str, Any], name: str) -> str | None:
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not _SAFE.match(value):
        raise NotAnEvent(f"{name}: 1 to 64 letters, digits, or one of _.:-")
    return value


def _data(type: str, value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise NotAnEvent("data: not an object")
    if len(_JSON.encode(value).encode("utf-8", "surrogatepass")) > MOST_DATA:
        raise NotAnEvent(f"data: more than {MOST_DATA} bytes")
    try:
        return checked(type, value)
    except BadData as error:
        raise NotAnEvent(str(error)) from error


def _clamped(at: Any, now: datetime) -> str:
    if at is None:
        return text(now)
    found, oldest = moment(at), now - OLDEST
    if oldest <= found <= now:
        return at if _AS_KEPT.match(at) else text(found)
    return text(min(max(found, oldest), now))


def _scoped(visitor: str, told_id: str) -> str:
    """Nobody can take an id from somebody else."""
    return hashlib.sha256(f"{visitor}\x00{told_id}".encode()).hexdigest()[:40]
