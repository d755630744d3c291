"""Password hashing by Argon2id at the cost of OWASP's Password Storage Cheat Sheet.

The cost is 19 MiB, two passes and one lane.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cached_property
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from chassis.api.errors import Unavailable

T = TypeVar("T")

MEMORY_KIB, PASSES, LANES = 19 * 1024, 2, 1


class Argon2:
    """Hashes and verifies passwords, at most `slots` at a time, since each takes 19 MiB.

    Raises Unavailable (503) when no slot is free within `timeout` seconds.
    """

    def __init__(self, *, slots: int, timeout: float) -> None:
        self._hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)
        self._slots = threading.BoundedSemaphore(slots)
        self._timeout = timeout

    def hash(self, password: str) -> str:
        return self._with_slot(lambda: self._hasher.hash(password))

    def verify(self, password: str, hashed: str) -> bool:
        """Return True if the password matches.

        Without a hash it does the same work, so that timing reveals nothing.
        """
        return self._with_slot(lambda: self._matches(password, hashed or self._dummy_hash)) and bool(hashed)

    def is_outdated(self, hashed: str) -> bool:
        """Return True if the hash was made at another cost than today's."""
        return self._hasher.check_needs_rehash(hashed)

    @cached_property
    def _dummy_hash(self) -> str:
        return self._hasher.hash("no account has this password")

    def _matches(self, password: str, hashed: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False

    def _with_slot(self, work: Callable[[], T]) -> T:
        if not self._slots.acquire(timeout=self._timeout):
            raise Unavailable("busy", "Too many people sign in just now.", retry_after=1)
        try:
            return work()
        finally:
            self._slots.release()
