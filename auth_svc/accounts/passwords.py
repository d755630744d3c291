"""Argon2id with the cost that OWASP's Password Storage Cheat Sheet gives: 19 MiB, two passes, one lane."""

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
    """Hashes and checks, a few at a time: each takes 19 MiB, and a flood of log-ins must not take them all.

    Raises Unavailable (503) when no place is free within `patience` seconds.
    """

    def __init__(self, *, places: int, patience: float) -> None:
        self._hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)
        self._places = threading.BoundedSemaphore(places)
        self._patience = patience

    def hash(self, password: str) -> str:
        return self._in_place(lambda: self._hasher.hash(password))

    def verify(self, password: str, hashed: str) -> bool:
        """Whether it is the password. Without a hash as much work is done, so that time tells nothing."""
        return self._in_place(lambda: self._matches(password, hashed or self._nobodys)) and bool(hashed)

    def is_outdated(self, hashed: str) -> bool:
        """Whether the hash was made at another cost than today's."""
        return self._hasher.check_needs_rehash(hashed)

    @cached_property
    def _nobodys(self) -> str:
        return self._hasher.hash("no account has this password")

    def _matches(self, password: str, hashed: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False

    def _in_place(self, work: Callable[[], T]) -> T:
        if not self._places.acquire(timeout=self._patience):
            raise Unavailable("busy", "Too many people sign in just now.", retry_after=1)
        try:
            return work()
        finally:
            self._places.release()
