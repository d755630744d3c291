"""Ports of the use cases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

Clock = Callable[[], datetime]
NewId = Callable[[], str]
#: Counts one attempt of that key; raises TooManyRequests if none is left.
Limiter = Callable[[str], None]


class Hasher(Protocol):
    """Hashes passwords; raises Unavailable (503) when too many wait."""

    def hash(self, password: str) -> str: ...
    def verify(self, password: str, hashed: str) -> bool: ...
    def is_outdated(self, hashed: str) -> bool: ...
