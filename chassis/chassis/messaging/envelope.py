"""Events: how one is recorded in the document that it is about, and what a subscriber gets.

The envelope is `{id, type, source, subject, seq, at, data}`; `seq` rises per subject.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chassis.couch.codec import to_moment, to_text
from chassis.ids import new_id

#: Which service tells events of which kind (the first word of their type); `audit.recorded` comes from all.
SOURCES = {
    "order": "checkout",
    "product": "catalog",
    "availability": "catalog",
    "account": "auth",
    "events": "logs",
}


class Rejected(Exception):
    """A subscriber cannot take this event, now or ever. Five times, and it becomes a dead letter."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Envelope:
    """One event on its way to one subscriber."""

    id: str
    type: str
    source: str
    subject: str
    seq: int
    at: datetime
    data: dict[str, Any]

    @classmethod
    def parse(cls, value: Any) -> Envelope:
        """From JSON; `Rejected` when it is not an envelope, or comes from the wrong service."""
        if not isinstance(value, Mapping):
            raise Rejected("not an object")
        texts = {name: _text(value, name) for name in ("id", "type", "source", "subject")}
        seq, data = value.get("seq"), value.get("data")
        if isinstance(seq, bool) or not isinstance(seq, int) or seq < 1:
            raise Rejected("seq is not a positive number")
        if not isinstance(data, dict):
            raise Rejected("data is not an object")
        if SOURCES.get(texts["type"].split(".")[0], texts["source"]) != texts["source"]:
            raise Rejected(f"{texts['type']} does not come from {texts['source']}")
        return cls(**texts, seq=seq, at=_moment(value), data=data)


def _text(value: Mapping[str, Any], name: str) -> str:
    text = value.get(name)
    if not isinstance(text, str) or not 0 < len(text) <= 200:
        raise Rejected(f"{name} is not a short text")
    return text


def _moment(value: Mapping[str, Any]) -> datetime:
    try:
        moment = to_moment(value.get("at") or "")
    except (TypeError, ValueError) as error:
        raise Rejected("at is not a time") from error
    if moment.tzinfo is None:
        raise Rejected("at has no time zone")
    return moment


def append_event(
    entity: Any, *, type: str, source: str, subject: str, data: dict[str, Any], at: datetime
) -> None:
    """Append an event to the outbox of an aggregate; it is told when the aggregate is saved, and only then.

    Needs the fields `events` and `event_seq`. Old events are taken out by the relay, once every subscriber
    has them.
    """
    entity.event_seq += 1
    entity.events.append(
        {
            "id": new_id(),
            "type": type,
            "source": source,
            "subject": subject,
            "seq": entity.event_seq,
            "at": to_text(at),
            "data": data,
        }
    )
