"""What can come of a call instead of an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class SiblingDown(Exception):
    """No usable answer: it is down, too slow, overloaded, or was so a moment ago (breaker open).

    `status` is what it answered (429, 5xx), 0 when nothing came.
    """

    def __init__(self, sibling: str, reason: str, status: int = 0) -> None:
        super().__init__(f"{sibling}: {reason}")
        self.sibling = sibling
        self.reason = reason
        self.status = status


class Refused(Exception):
    """The sibling answered 4xx. `problem` is its problem+json, `type` the slug to branch on."""

    def __init__(
        self, sibling: str, status: int, problem: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"{sibling}: {status} {problem.get('type', '')}")
        self.sibling = sibling
        self.status = status
        self.problem = dict(problem)
        self.headers = dict(headers or {})

    @property
    def type(self) -> str:
        return str(self.problem.get("type", ""))
