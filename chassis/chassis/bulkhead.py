"""A bound on how long threads of a process wait for one key, by how many wait already."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Full(Exception):
    """The key was not free in the time that this thread may wait for it; try again soon."""


class _Key:
    """What the threads of one key share."""

    __slots__ = ("lock", "threads")

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.threads = 0


class Bulkhead:
    """The first `places` threads of a key may wait `long` seconds for it, those after them only `short`.

    A key that everybody wants thus keeps a few threads of the process busy, never all: other keys go on.
    Source: the bulkhead of Nygard, Release It!, 2nd edition, chapter 5.
    """

    def __init__(self, places: int, *, long: float, short: float) -> None:
        self._places, self._long, self._short = places, long, short
        self._mutex = threading.Lock()
        self._keys: dict[str, _Key] = {}

    @contextmanager
    def patience(self, key: str) -> Iterator[float]:
        """Count this thread for the block. Yields the seconds that it may wait."""
        with self._enter(key) as (_, seconds):
            yield seconds

    @contextmanager
    def alone(self, key: str) -> Iterator[None]:
        """Hold the lock of `key` for the block. Raises `Full` when it was not free in time."""
        with self._enter(key) as (entry, seconds):
            if not entry.lock.acquire(timeout=seconds):
                raise Full(f"{key} was not free within {seconds} s")
            try:
                yield
            finally:
                entry.lock.release()

    @contextmanager
    def _enter(self, key: str) -> Iterator[tuple[_Key, float]]:
        with self._mutex:
            entry = self._keys.setdefault(key, _Key())
            entry.threads += 1
            seconds = self._long if entry.threads <= self._places else self._short
        try:
            yield entry, seconds
        finally:
            with self._mutex:
                entry.threads -= 1
                if not entry.threads:
                    del self._keys[key]
