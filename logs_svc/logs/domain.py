"""What logs_svc knows: what people did in the shop, and what staff changed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

# What a browser may tell. A purchase is told by checkout alone.
REPORTED = (
    "view", "search", "click", "impression", "add_to_cart", "remove_from_cart", "checkout_started",
)  # fmt: skip
PURCHASE = "purchase"
TYPES = (*REPORTED, PURCHASE)
FUNNEL = ("view", "add_to_cart", "checkout_started", PURCHASE)

MOST_DATA = 2048  # bytes of an event's `data`, as JSON
OLDEST = timedelta(days=7)  # a browser that was offline; before that its clock is wrong

_FIELDS = frozenset({"id", "type", "product_id", "session_id", "at", "data"})
_SAFE = re.compile(r"[A-Za-z0-9_.:-]{1,64}\Z")
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}\Z")


class NotAnEvent(Exception):
    """What was told is no event; the text says why."""


@dataclass(slots=True)
class Event:
    """One thing that happened. `at` is when, `arrived` a UUIDv7 by which events are read in a stable order.

    `user` is an account's id, `session` a browser's, with its consent; `query` what was searched for, tidied.
    """

    id: str
    type: str
    at: datetime
    arrived: str
    user: str | None = None
    session: str | None = None
    product_id: str | None = None
    quantity: int = 1
    query: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def forget_user(self) -> None:
        """What happened stays; who it was does not."""
        self.user = None
        self.session = None
        self.version += 1


@dataclass(slots=True)
class AuditEntry:
    """One write by staff: never changed, never deleted. `at` is when they did it, `arrived` when we heard."""

    id: str
    at: datetime
    arrived: datetime
    actor: str
    actor_name: str
    action: str
    service: str
    object_type: str
    object_id: str
    object_repr: str = ""
    message: str = ""
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


def reported_event(told: Any, *, arrived: str, now: datetime, user: str | None, session: str | None) -> Event:
    """An event from what a browser told, which is not trusted: NotAnEvent says what is wrong with it.

    An `id` told twice by the same visitor is the same event. A time outside the last 7 days is moved in.
    """
    fields = _object(told)
    type = _type(fields)
    session = session or _safe(fields, "session_id")
    data = _data(fields.get("data"))
    told_id = _safe(fields, "id")
    return Event(
        id=_scoped(user or session or "", told_id) if told_id else arrived,
        type=type,
        at=_clamped(fields.get("at"), now),
        arrived=arrived,
        user=user,
        session=session,
        product_id=_safe(fields, "product_id"),
        query=search_query(data) if type == "search" else None,
        data=data,
    )


def search_query(data: Mapping[str, Any]) -> str | None:
    """What was searched for: lower case, single spaces, at most 100 characters."""
    text = data.get("q", data.get("query"))
    if not isinstance(text, str):
        return None
    return " ".join(text.lower().split())[:100] or None


def moment(text: Any) -> datetime:
    """An aware time from RFC 3339 text; NotAnEvent."""
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise NotAnEvent("at: not an RFC 3339 time") from error
    if found.tzinfo is None:
        raise NotAnEvent("at: without a time zone")
    return found


def _object(told: Any) -> dict[str, Any]:
    if not isinstance(told, dict):
        raise NotAnEvent("not an object")
    unknown = sorted(told.keys() - _FIELDS)
    if unknown:
        raise NotAnEvent(f"unknown field: {unknown[0][:40]}")
    return told


def _type(fields: Mapping[str, Any]) -> str:
    type = fields.get("type")
    if type == PURCHASE:
        raise NotAnEvent("type: purchases are told by checkout alone")
    if not isinstance(type, str) or type not in REPORTED:
        raise NotAnEvent(f"type: one of {', '.join(REPORTED)}")
    return type


def _safe(fields: Mapping[str, Any], name: str) -> str | None:
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not _SAFE.match(value):
        raise NotAnEvent(f"{name}: 1 to 64 letters, digits, or one of _.:-")
    return value


def _data(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise NotAnEvent("data: not an object")
    if len(json.dumps(value)) > MOST_DATA:
        raise NotAnEvent(f"data: more than {MOST_DATA} bytes")
    _check_keys(value)
    return value


def _check_keys(value: Any) -> None:
    """Names that mean something to a database or to JavaScript are refused."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if not _KEY.match(key) or key in ("constructor", "prototype"):
                raise NotAnEvent("data: a name of it is not a plain word")
            _check_keys(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_keys(inner)


def _clamped(at: Any, now: datetime) -> datetime:
    return now if at is None else min(max(moment(at), now - OLDEST), now)


def _scoped(visitor: str, told_id: str) -> str:
    """Nobody can take an id from somebody else."""
    return "c" + hashlib.sha256(f"{visitor}\x00{told_id}".encode()).hexdigest()[:39]
