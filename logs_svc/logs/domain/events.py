"""Behaviour events, and how they are parsed from what a browser sends."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from logs.domain.schema import InvalidData, validate_data

# What a browser may report. Purchases come from checkout only.
REPORTED = (
    "view", "search", "click", "impression", "add_to_cart", "remove_from_cart", "checkout_started",
)  # fmt: skip
PURCHASE = "purchase"
TYPES = (*REPORTED, PURCHASE)
FUNNEL = ("view", "add_to_cart", "checkout_started", PURCHASE)

_JSON = json.JSONEncoder(ensure_ascii=False)
MAX_DATA_BYTES = 2048  # bytes of an event's `data`, as JSON
MAX_EVENT_AGE = timedelta(days=7)  # of a browser that was offline; an older time means a wrong clock

_FIELDS = frozenset({"id", "type", "product_id", "session_id", "at", "data"})
_REPORTED = frozenset(REPORTED)
_CANONICAL_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z", re.ASCII)
_SAFE = re.compile(r"[A-Za-z0-9_.:-]{1,64}\Z")


class InvalidEvent(Exception):
    """The payload is not a valid event; the text says why."""


@dataclass(slots=True)
class Event:
    """One stored behaviour event.

    `at` is when it happened. The id begins with a UUIDv7 of its arrival, so that ids sort by arrival. `user`
    is an account's id, `session` a browser's, with consent only; `query` is a search's normalised text.
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
        """Remove the account and the session, and keep the event."""
        self.user = None
        self.session = None
        self.version += 1


@dataclass(slots=True)
class IncomingEvent:
    """An event that is not stored yet and has no id.

    `at` is RFC 3339 text in UTC. `key` identifies the same event when it is sent again; it is None if the
    sender gave no id. `amount` and `currency` are an order's total, on the first of its lines.
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
        """Return the stored document, equal to what the codec makes of an `Event`."""
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


def parse_event(payload: Any, *, now: datetime, user: str | None, session: str | None) -> IncomingEvent:
    """Parse an event from an untrusted payload; raises InvalidEvent with the reason.

    The same `id` from the same visitor is the same event. A time outside the last 7 days is clamped.
    """
    fields = _object(payload)
    type = _type(fields)
    session = session or _safe(fields, "session_id")
    client_id = _safe(fields, "id")
    data = _data(type, fields.get("data"))
    return IncomingEvent(
        type=type,
        at=_clamped(fields.get("at"), now),
        user=user,
        session=session,
        product_id=_safe(fields, "product_id"),
        query=search_query(data) if type == "search" else None,
        data=data,
        key=_scoped(user or session or "", client_id) if client_id else None,
    )


def search_query(data: Mapping[str, Any]) -> str | None:
    """Normalise a search's text: lower case, single spaces, at most 100 characters."""
    words = data.get("q", data.get("query"))
    if not isinstance(words, str):
        return None
    return " ".join(words.lower().split())[:100] or None


def found_nothing(type: str, data: Mapping[str, Any]) -> bool:
    """Return True if this is a search that reports no results."""
    return type == "search" and any(data.get(name) == 0 for name in ("results", "count", "total"))


def parse_time(text: Any) -> datetime:
    """Parse RFC 3339 text into an aware time in UTC; raises InvalidEvent."""
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            raise InvalidEvent("at: without a time zone")
        return found if found.tzinfo is UTC else found.astimezone(UTC)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidEvent("at: not an RFC 3339 time") from error


@lru_cache(maxsize=512)
def format_time(time: datetime) -> str:
    """Format a time as RFC 3339 in UTC with milliseconds, so that texts sort as the times do."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def _object(payload: Any) -> dict[str, Any]:
    if not isinstance(payload, dict):
        raise InvalidEvent("not an object")
    if not payload.keys() <= _FIELDS:
        raise InvalidEvent(f"unknown field: {sorted(payload.keys() - _FIELDS)[0][:40]}")
    return payload


def _type(fields: Mapping[str, Any]) -> str:
    type = fields.get("type")
    if type == PURCHASE:
        raise InvalidEvent("type: only checkout reports purchases")
    if not isinstance(type, str) or type not in _REPORTED:
        raise InvalidEvent(f"type: one of {', '.join(REPORTED)}")
    return type


def _safe(fields: Mapping[str, Any], name: str) -> str | None:
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not _SAFE.match(value):
        raise InvalidEvent(f"{name}: 1 to 64 letters, digits, or one of _.:-")
    return value


def _data(type: str, value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidEvent("data: not an object")
    if len(_JSON.encode(value).encode("utf-8", "surrogatepass")) > MAX_DATA_BYTES:
        raise InvalidEvent(f"data: more than {MAX_DATA_BYTES} bytes")
    try:
        return validate_data(type, value)
    except InvalidData as error:
        raise InvalidEvent(str(error)) from error


def _clamped(at: Any, now: datetime) -> str:
    if at is None:
        return format_time(now)
    found, oldest = parse_time(at), now - MAX_EVENT_AGE
    if oldest <= found <= now:
        return at if _CANONICAL_TIME.match(at) else format_time(found)
    return format_time(min(max(found, oldest), now))


def _scoped(visitor: str, client_id: str) -> str:
    """Hash an id together with its visitor, so that nobody can claim another visitor's id."""
    return hashlib.sha256(f"{visitor}\x00{client_id}".encode()).hexdigest()[:40]
