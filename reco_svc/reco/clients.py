"""logs_svc as seen from here: the history that training learns from."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Protocol

from chassis.siblings import Sibling
from reco.domain import WEIGHTS, Interaction
from reco.live import News

PAGE = 1000


class History(Protocol):
    checkpoint: str | None
    """From where to read on after the last `read`, once that has ended."""

    def read(self) -> Iterator[Interaction]:
        """Every event that says something of taste, oldest arrival first."""
        ...


class LogsHistory:
    """History over logs_svc's `GET /internal/events`, a page of 1,000 at a time."""

    def __init__(self, logs: Sibling) -> None:
        self._logs = logs
        self.checkpoint: str | None = None

    def read(self) -> Iterator[Interaction]:
        cursor: str | None = None
        while True:
            news = self.after(cursor)
            yield from (one for _, one in news.events)
            self.checkpoint = news.checkpoint or self.checkpoint
            cursor = news.next
            if cursor is None:
                return

    def after(self, cursor: str | None) -> News:
        """One page, for the live events (live.py)."""
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
