"""The client of logs_svc, whose history training learns from."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chassis.clients import ServiceClient
from reco.domain import WEIGHTS, Interaction
from reco.recent_events import EventPage

PAGE = 1000


class LogsHistory:
    """The event history over logs_svc's `GET /internal/events`, 1,000 events a page."""

    def __init__(self, logs: ServiceClient) -> None:
        self._logs = logs

    def after(self, cursor: str | None) -> EventPage:
        """Return a page of interactions, the oldest arrival first.

        Raises `Refused` for a cursor that logs_svc does not know, `ServiceUnavailable`.
        """
        params = {"limit": PAGE, **({"after": cursor} if cursor else {})}
        page = self._logs.get("/internal/events", params, timeout=20.0).json
        found = ((str(event.get("id")), interaction(event)) for event in page["results"])
        events = [(id, one) for id, one in found if one is not None]
        return EventPage(events, page["next"], page.get("checkpoint"))


def interaction(event: dict[str, Any]) -> Interaction | None:
    """Convert an event of logs_svc; None if it names no product or has no weight."""
    if event["type"] not in WEIGHTS or not event.get("product_id"):
        return None
    return Interaction(
        type=event["type"],
        product_id=event["product_id"],
        at=datetime.fromisoformat(event["at"]),
        user=event.get("user"),
        session=event.get("session"),
    )
