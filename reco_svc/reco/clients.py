"""logs_svc as seen from here: the history that training learns from."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chassis.siblings import Sibling
from reco.domain import WEIGHTS, Interaction
from reco.live import News

PAGE = 1000


class LogsHistory:
    """History over logs_svc's `GET /internal/events`, a page of 1,000 at a time."""

    def __init__(self, logs: Sibling) -> None:
        self._logs = logs

    def after(self, cursor: str | None) -> News:
        """A page of what says something of taste, the oldest arrival first.

        Raises `Refused` for a cursor that logs_svc does not know, `SiblingDown`.
        """
        params = {"limit": PAGE, **({"after": cursor} if cursor else {})}
        page = self._logs.get("/internal/events", params, timeout=20.0).json
        found = ((str(event.get("id")), interaction(event)) for event in page["results"])
        events = [(id, one) for id, one in found if one is not None]
        return News(events, page["next"], page.get("checkpoint"))


def interaction(event: dict[str, Any]) -> Interaction | None:
    """An event of logs_svc, or None for one that names no product or nobody."""
    if event["type"] not in WEIGHTS or not event.get("product_id"):
        return None
    return Interaction(
        type=event["type"],
        product_id=event["product_id"],
        at=datetime.fromisoformat(event["at"]),
        user=event.get("user"),
        session=event.get("session"),
    )
