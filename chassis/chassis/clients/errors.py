"""What can come of a call instead of an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Answers of a gateway that could not reach the service.
_GATEWAY_ALONE = frozenset({502, 504})


class ServiceUnavailable(Exception):
    """No usable answer: it is down, too slow, overloaded, or was so a moment ago (breaker open).

    `status` is what it answered, 0 when nothing came; `retry_after` the seconds that it asks to wait, if any.
    """

    def __init__(self, service: str, reason: str, status: int = 0, retry_after: float | None = None) -> None:
        super().__init__(f"{service}: {reason}")
        self.service = service
        self.reason = reason
        self.status = status
        self.retry_after = retry_after

    @property
    def gone(self) -> bool:
        """True when no answer of the service itself came: refused, reset, not in time, 502 or 504."""
        return self.status == 0 or self.status in _GATEWAY_ALONE


class Throttled(ServiceUnavailable):
    """It answered 429: the one it was asked for has reached a limit. Tell them when to come back."""

    def __init__(self, service: str, retry_after: float | None = None) -> None:
        super().__init__(service, "answered 429", 429, retry_after)


class Refused(Exception):
    """The service answered 4xx. `problem` is its problem+json, `type` the slug to branch on."""

    def __init__(
        self, service: str, status: int, problem: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"{service}: {status} {problem.get('type', '')}")
        self.service = service
        self.status = status
        self.problem = dict(problem)
        self.headers = dict(headers or {})

    @property
    def type(self) -> str:
        return str(self.problem.get("type", ""))
