"""Facts that other services tell: purchases, staff writes, erased accounts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from chassis.couch import Conflict, Repository
from chassis.messaging import Envelope, Rejected
from logs.domain import PURCHASE, AuditEntry, Event, NotAnEvent, moment

_AT_ONCE = 100
_WRITTEN = ("actor", "action", "service", "object_type", "object_id")


class Facts:
    def __init__(
        self,
        *,
        events: Repository[Event],
        audit: Repository[AuditEntry],
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._events, self._audit, self._clock, self._new_id = events, audit, clock, new_id

    def order_confirmed(self, envelope: Envelope) -> str:
        """One `purchase` per line. Their ids come from the fact's, so that it counts once."""
        lines = envelope.data.get("lines")
        if not isinstance(lines, list) or not all(_is_line(line) for line in lines):
            raise Rejected("lines are not [{product_id, quantity}]")
        bought = [self._purchase(envelope, number, line) for number, line in enumerate(lines)]
        return "done" if any(self._events.add_many(bought)) else "duplicate"

    def audit_recorded(self, envelope: Envelope) -> str:
        """Appended to the trail under the fact's own id."""
        data = envelope.data
        missing = [name for name in _WRITTEN if not isinstance(data.get(name), str)]
        if missing:
            raise Rejected(f"missing: {', '.join(missing)}")
        if data["service"] != envelope.source:
            raise Rejected("a service tells of its own staff writes only")
        try:
            self._audit.add(self._entry(envelope))
        except Conflict:
            return "duplicate"
        return "done"

    def account_erased(self, envelope: Envelope) -> str:
        """Their events stay without them."""
        account_id = envelope.data.get("account_id")
        if not isinstance(account_id, str) or not account_id:
            raise Rejected("account_id is missing")
        found = False
        while page := self._events.find("by_user", {"user": account_id}, limit=_AT_ONCE).items:
            found = True
            for event in page:
                self._events.update(event.id, Event.forget_user)
        return "done" if found else "duplicate"

    def _purchase(self, envelope: Envelope, number: int, line: Mapping[str, Any]) -> Event:
        data = envelope.data
        more = {"demo": True} if data.get("demo") is True else {}
        return Event(
            id=f"p-{envelope.id}-{number}",
            type=PURCHASE,
            at=envelope.at,
            arrived=self._new_id(),
            user=data.get("account_id"),
            session=data.get("session_id"),
            product_id=line["product_id"],
            quantity=line["quantity"],
            data={"order": envelope.subject, "sku": line.get("sku"), **more},
        )

    def _entry(self, envelope: Envelope) -> AuditEntry:
        data = envelope.data
        texts: dict[str, Any] = {
            name: str(data.get(name) or "") for name in ("actor_name", "object_repr", "message")
        }
        return AuditEntry(
            id=envelope.id,
            at=_at(data.get("at"), envelope.at),
            arrived=self._clock(),
            **{name: data[name] for name in _WRITTEN},
            **texts,
        )


def _is_line(line: Any) -> bool:
    return (
        isinstance(line, dict)
        and isinstance(line.get("product_id"), str)
        and type(line.get("quantity")) is int
        and line["quantity"] > 0
    )


def _at(text: Any, otherwise: datetime) -> datetime:
    try:
        return moment(text)
    except NotAnEvent:
        return otherwise
