"""The last hour of every service, and the last decisions that did something, in memory for the page."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from typing import Any

POINTS = 1800  # an hour of two seconds
DECISIONS = 300
FIELDS = ("at", "wanted", "ready", "need", "cpu", "rate", "in_flight", "failed")


class History:
    """Points are rows in the order of FIELDS; what is not known is None. Safe in threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._points: dict[str, deque[tuple[float | None, ...]]] = {}
        self._decisions: deque[dict[str, Any]] = deque(maxlen=DECISIONS)
        self._rules: dict[str, tuple[Any, ...]] = {}

    def add(self, service: str, point: tuple[float | None, ...], record: Mapping[str, Any]) -> bool:
        """Whether the decision is another than the one before: those are what people want to see."""
        with self._lock:
            self._points.setdefault(service, deque(maxlen=POINTS)).append(point)
            outcome = str(record["outcome"])
            now = (record["rule"] if outcome != "none" else "", outcome, record["to"])
            new = self._rules.get(service) != now and (outcome != "none" or service in self._rules)
            self._rules[service] = now
            if outcome not in ("none", "") and new:
                self._decisions.appendleft(dict(record))
            return new and outcome != "none"

    def keep(self, services: set[str]) -> None:
        """Drop what is gone."""
        with self._lock:
            for name in self._points.keys() - services:
                del self._points[name]
                self._rules.pop(name, None)

    def since(self, at: float) -> dict[str, list[tuple[float | None, ...]]]:
        with self._lock:
            return {
                name: [point for point in points if (point[0] or 0) > at]
                for name, points in self._points.items()
            }

    def decisions(self, most: int = 100) -> list[dict[str, Any]]:
        """The newest first."""
        with self._lock:
            return list(self._decisions)[:most]
