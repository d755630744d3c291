"""What people tell the autoscaler at its page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from autoscaling.clients.docker import OutOfSequence
from autoscaling.domain import BadOverride, Overrides

ATTEMPTS = 5


class Kept(Protocol):
    def overrides(self) -> Overrides: ...
    def tell(self, before: Overrides, told: dict[str, str]) -> Overrides: ...


class Telling:
    """Each change is read, made and written by compare-and-set, and then recorded with who made it."""

    def __init__(self, *, kept: Kept, audit: Callable[[Mapping[str, Any]], None]) -> None:
        self._kept, self._audit = kept, audit

    def overrides(self) -> Overrides:
        """Return the overrides. Raises EngineDown."""
        return self._kept.overrides()

    def hold(self, on: bool, *, actor: str, actor_name: str) -> None:
        """Return the kill switch. Raises EngineDown and BadOverride, as the others."""
        self._change(lambda now: now.with_hold(on))
        self._record("hold" if on else "release", "everything", "", actor, actor_name)

    def pause(self, service: str, on: bool, *, actor: str, actor_name: str) -> None:
        self._change(lambda now: now.with_pause(service, on))
        self._record("pause" if on else "resume", service, "", actor, actor_name)

    def limit(self, service: str, low: int | None, high: int | None, *, actor: str, actor_name: str) -> None:
        """None: as the service's label says."""
        self._change(lambda now: now.with_limits(service, low, high))
        shown = ["as labelled" if limit is None else str(limit) for limit in (low, high)]
        self._record("limit", service, f"minimum {shown[0]}, maximum {shown[1]}", actor, actor_name)

    def _change(self, change: Callable[[Overrides], dict[str, str]]) -> None:
        for _ in range(ATTEMPTS):
            before = self._kept.overrides()
            try:
                self._kept.tell(before, change(before))
                return
            except OutOfSequence:
                continue
        raise BadOverride("Others are changing the same just now; try again.")

    def _record(self, action: str, service: str, message: str, actor: str, actor_name: str) -> None:
        self._audit(
            {
                "actor": actor, "actor_name": actor_name, "action": action, "object_type": "service",
                "object_id": service, "object_repr": service, "message": message,
            }
        )  # fmt: skip
