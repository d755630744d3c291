"""logs_svc as seen from here: the history that training learns from."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Protocol

from chassis.siblings import Sibling
from reco.domain import WEIGHTS, Interaction

PAGE = 1000


class History(Protocol):
    def read(self) -> Iterator[Interaction]:
        """Every event that says something of taste, oldest arrival first."""
        ...


class LogsHistory:
    """History over logs_svc's `GET /internal/events`, a page of 1,000 at a time."""

    def __init__(self, logs: Sibling) -> None:
        self._logs = logs

    def read(self) -> Iterator[Interaction]:
        cursor = ""
        while True:
            params = {"limit": PAGE, **({"after": cursor} if cursor else {})}
            page = self._logs.get("/internal/events", params, timeout=20.0).json
            yield from filter(None, map(interaction, page["results"]))
            cursor = page["next"] or ""
            if not cursor:
                return


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
