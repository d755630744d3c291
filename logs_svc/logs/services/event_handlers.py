"""Event handlers: purchases, staff writes and erased accounts, as other services publish them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from chassis.couch.store import is_safe
from chassis.messaging import Envelope, Rejected
from logs.domain import PURCHASE, AuditEntry, IncomingEvent, InvalidEvent, parse_time
from logs.domain.events import format_time
from logs.services.audit_trail import AuditTrail
from logs.services.erasure import Erasure
from logs.services.recorder import Recorder

_REQUIRED = ("actor", "action", "service", "object_type", "object_id")


class EventHandlers:
    def __init__(
        self,
        *,
        recorder: Recorder,
        audit: AuditTrail,
        erasure: Erasure,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._recorder, self._audit, self._erasure = recorder, audit, erasure
        self._clock, self._new_id = clock, new_id

    def order_confirmed(self, envelope: Envelope) -> str:
        """Record one `purchase` per line before answering, and only once for repeated deliveries."""
        lines = envelope.data.get("lines")
        if not isinstance(lines, list) or not all(_is_line(line) for line in lines):
            raise Rejected("lines are not [{product_id, quantity}]")
        bought = [self._purchase(envelope, number, line) for number, line in enumerate(lines)]
        key = f"fact-{envelope.id}"
        new = self._recorder.record_once(key, bought, at=envelope.at, new_id=self._new_id)
        return "done" if new else "duplicate"

    def audit_recorded(self, envelope: Envelope) -> str:
        """Append the entry to the audit trail under the event's own id, and to its writer's chain."""
        data = envelope.data
        missing = [name for name in _REQUIRED if not isinstance(data.get(name), str)]
        if missing:
            raise Rejected(f"missing: {', '.join(missing)}")
        if data["service"] != envelope.source:
            raise Rejected("a service reports its own staff writes only")
        return "done" if self._audit.append(self._entry(envelope)) else "duplicate"

    def account_erased(self, envelope: Envelope) -> str:
        """Erase the account from events and, by a pseudonym, from the audit trail."""
        account_id = envelope.data.get("account_id")
        if not isinstance(account_id, str) or not account_id:
            raise Rejected("account_id is missing")
        found = self._erasure.erase(account_id, erasure=envelope.id)
        return "done" if found.events or found.entries else "duplicate"

    def _purchase(self, envelope: Envelope, number: int, line: Mapping[str, Any]) -> IncomingEvent:
        data = envelope.data
        more = {"demo": True} if data.get("demo") is True else {}
        amount, currency = _money(data.get("total")) if number == 0 else (0, "")
        price, _ = _money(line.get("unit_price"))
        return IncomingEvent(
            type=PURCHASE,
            at=format_time(envelope.at),
            user=_name(data.get("account_id")),
            session=_name(data.get("session_id")),
            product_id=line["product_id"],
            quantity=line["quantity"],
            data={
                "order": envelope.subject,
                "sku": line.get("sku"),
                **({"price": price} if price else {}),
                **({"total": {"amount": amount, "currency": currency}} if currency else {}),
                **more,
            },
            amount=amount,
            currency=currency,
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
            **{name: data[name] for name in _REQUIRED},
            **texts,
        )


def _is_line(line: Any) -> bool:
    return (
        isinstance(line, dict)
        and isinstance(line.get("product_id"), str)
        and type(line.get("quantity")) is int
        and line["quantity"] > 0
    )


def _name(value: Any) -> str | None:
    return value if isinstance(value, str) and is_safe(value) else None


def _money(value: Any) -> tuple[int, str]:
    """Return (minor units, currency) of Money or of a plain number; (0, "") for anything else."""
    if isinstance(value, Mapping):
        amount, currency = value.get("amount"), value.get("currency")
        if type(amount) is int and isinstance(currency, str):
            return amount, currency
    return (value, "") if type(value) is int else (0, "")


def _at(text: Any, otherwise: datetime) -> datetime:
    try:
        return parse_time(text)
    except InvalidEvent:
        return otherwise
