"""Who changed what: an event in the aggregate's own outbox, in the write that makes it true."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.contrib.admin.models import ADDITION, CHANGE, DELETION
from django.http import HttpRequest

from chassis.clock import now

from .models import StaffUser

log = logging.getLogger("audit")

TYPE = "audit.recorded"
FLAGS = {"add": ADDITION, "change": CHANGE, "delete": DELETION}


def note(
    request: HttpRequest, entity: Any, *, action: str, message: str, object_type: str, shown: str
) -> None:
    """Append the event to the entity's outbox; an aggregate without one leaves a line in the log."""
    at = now()
    data = {
        "actor": request.user.id,
        "actor_name": str(request.user),
        "action": action,
        "service": settings.SERVICE,
        "object_type": object_type,
        "object_id": entity.id,
        "object_repr": shown[:200],
        "message": message[:1000],
        "at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    if hasattr(entity, "events"):
        from chassis.messaging import append_event

        append_event(entity, type=TYPE, source=settings.SERVICE, subject=entity.id, data=data, at=at)
    else:
        log.info("staff write", extra={"audit": data})


def history(request: HttpRequest, entity: Any) -> list[Any]:
    """Return the object's entries, oldest first: the audit trail, and what has not got there yet.

    With logs_svc unavailable, or not readable by this person, return what the aggregate's own outbox holds.
    """
    found = {fact["id"]: fact["data"] for fact in getattr(entity, "events", []) if fact["type"] == TYPE}
    found |= _from_logs(request, entity.id)
    return [_entry(data) for data in sorted(found.values(), key=lambda data: str(data.get("at", "")))]


def _from_logs(request: HttpRequest, object_id: str) -> dict[str, Mapping[str, Any]]:
    from chassis.clients import Refused, ServiceClient, ServiceUnavailable

    try:
        answer = ServiceClient("logs").get(
            "/audit", {"object": object_id, "limit": 100}, user_token=request.user.token
        )
    except (ServiceUnavailable, Refused):
        return {}
    rows = (answer.json or {}).get("results", [])
    return {str(row.get("id", number)): row for number, row in enumerate(rows)}


def _entry(data: Mapping[str, Any]) -> Any:
    """Return what the stock history template reads of a LogEntry."""
    message = str(data.get("message", ""))
    return SimpleNamespace(
        action_time=_moment(data.get("at")),
        user=StaffUser(id=str(data.get("actor", "")), name=str(data.get("actor_name", ""))),
        action_flag=FLAGS.get(str(data.get("action")), CHANGE),
        object_repr=data.get("object_repr", ""),
        get_change_message=lambda: message,
    )


def _moment(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None
