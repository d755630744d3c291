"""The last hour of every service, and the last decisions that did something, in memory for the page."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from typing import Any

POINTS = 1800  # an hour of two seconds
DECISIONS = 300
AGAIN = 300.0  # seconds after which what changed nothing is told again
FIELDS = ("at", "wanted", "ready", "need", "cpu", "rate", "in_flight", "failed")


class History:
    """Points are rows in the order of FIELDS; what is not known is None. Safe in threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._points: dict[str, deque[tuple[float | None, ...]]] = {}
        self._decisions: deque[dict[str, Any]] = deque(maxlen=DECISIONS)
        self._rules: dict[str, tuple[Any, ...]] = {}
        self._told: dict[str, dict[tuple[Any, ...], float]] = {}

    def add(self, service: str, point: tuple[float | None, ...], record: Mapping[str, Any]) -> bool:
        """Add a decision; return True if people should see it.

        That is one that did something, or another reason to do nothing than the one before. The same again
        and again, as "full" and "none" in turn, is shown once in AGAIN.
        """
        with self._lock:
            self._points.setdefault(service, deque(maxlen=POINTS)).append(point)
            outcome = str(record["outcome"])
            now = (record["rule"] if outcome != "none" else "", outcome, record["to"])
            new = outcome not in ("none", "") and self._rules.get(service) != now
            self._rules[service] = now
            if new and outcome != "applied":
                new = self._long_ago(service, now, float(record["at"]))
            if new:
                self._decisions.appendleft(dict(record))
            return new

    def _long_ago(self, service: str, now: tuple[Any, ...], at: float) -> bool:
        told = self._told.get(service, {})
        recent = {key: when for key, when in told.items() if abs(at - when) < AGAIN}
        self._told[service] = {now: at, **recent}
        return now not in recent

    def keep(self, services: set[str]) -> None:
        """Drop what is gone."""
        with self._lock:
            for name in self._points.keys() - services:
                del self._points[name]
                self._rules.pop(name, None)
                self._told.pop(name, None)

    def since(self, at: float) -> dict[str, list[tuple[float | None, ...]]]:
        with self._lock:
            return {
                name: [point for point in points if (point[0] or 0) > at]
                for name, points in self._points.items()
            }

    def decisions(self, most: int = 100) -> list[dict[str, Any]]:
        """Return the newest first."""
        with self._lock:
            return list(self._decisions)[:most]
