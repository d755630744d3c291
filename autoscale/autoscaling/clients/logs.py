"""Decisions and overrides as events for logs_svc's audit trail: best effort, never waited for."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from chassis.clients import Refused, ServiceUnavailable
from chassis.identity.keys import BadKey

log = logging.getLogger(__name__)

MOST = 500  # events that wait; older ones go first
PAUSE = 5.0  # seconds after a failure
SOURCE = "autoscale"


class Poster(Protocol):
    def post(self, path: str, json: Any, *, safe: bool, timeout: float) -> Any: ...


class AuditTrail:
    """`audit.recorded` events, sent in order by a thread of their own while logs_svc answers."""

    def __init__(
        self, logs: Poster, *, clock: Callable[[], datetime], new_id: Callable[[], str], pause: float = PAUSE
    ) -> None:
        self._logs, self._clock, self._new_id, self._pause = logs, clock, new_id, pause
        self._waiting: queue.Queue[dict[str, Any]] = queue.Queue(MOST)
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def record(self, data: Mapping[str, Any]) -> None:
        """Keep an event for sending. At once; the oldest is dropped when too many wait."""
        at = self._clock().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        fact = {
            "id": self._new_id(), "type": "audit.recorded", "source": SOURCE, "subject": data["object_id"],
            "seq": 1, "at": at, "data": {**data, "service": SOURCE, "at": at},
        }  # fmt: skip
        while True:
            try:
                self._waiting.put_nowait(fact)
                break
            except queue.Full:
                with contextlib.suppress(queue.Empty):
                    self._waiting.get_nowait()
        self._started()

    def decided(self, record: Mapping[str, Any]) -> None:
        """Return a decision that did something, or was kept from it."""
        fate = "" if record["outcome"] == "applied" else f" ({record['outcome']})"
        self.record(
            {
                "actor": SOURCE, "actor_name": "the autoscaler", "action": "scale",
                "object_type": "service", "object_id": record["service"], "object_repr": record["service"],
                "message": f"{record['from']} to {record['to']}{fate}: {record['reason']}"[:1000],
            }
        )  # fmt: skip

    def _started(self) -> None:
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._send, name="audit", daemon=True)
                self._thread.start()

    def _send(self) -> None:
        stop = threading.Event()
        while True:
            fact = self._waiting.get()
            while not self._sent(fact):
                stop.wait(self._pause)

    def _sent(self, fact: dict[str, Any]) -> bool:
        try:
            self._logs.post("/internal/events", [fact], safe=True, timeout=2.0)
        except ServiceUnavailable:
            return False
        except (Refused, BadKey) as error:
            log.warning("logs_svc does not take what was decided: %s", error)
        return True
