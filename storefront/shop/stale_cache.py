"""Cache of values shared by many pages, which serves stale ones while their source is unavailable."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Entry(Generic[T]):
    value: T
    fetched_at: float
    checked_at: float


class StaleCache(Generic[T]):
    """Cache by key: fresh for `fresh` seconds, served up to `max_stale` if fetching fails.

    One thread fetches a key again; the others get the old value meanwhile. At most `size` keys are stored.
    """

    def __init__(
        self, *, fresh: float, max_stale: float, size: int = 256, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._fresh, self._max_stale, self._size, self._clock = fresh, max_stale, size, clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, Entry[T]] = OrderedDict()
        self._fetching: set[str] = set()

    def get(self, key: str, fetch: Callable[[], T], *, failures: tuple[type[Exception], ...]) -> T:
        """Return the cached value or a fetched one.

        One of `failures` is raised only if nothing is cached.
        """
        entry = self._entry(key)
        if entry is not None and (self._clock() - entry.checked_at < self._fresh or not self._claim(key)):
            return entry.value
        try:
            value = fetch()
        except failures:
            if entry is None:
                raise
            # Do not retry at once: the source may need time to recover.
            self._put(key, Entry(entry.value, entry.fetched_at, self._clock()))
            return entry.value
        finally:
            with self._lock:
                self._fetching.discard(key)
        now = self._clock()
        self._put(key, Entry(value, now, now))
        return value

    def _entry(self, key: str) -> Entry[T] | None:
        with self._lock:
            entry = self._entries.get(key)
        return entry if entry is not None and self._clock() - entry.fetched_at < self._max_stale else None

    def _claim(self, key: str) -> bool:
        with self._lock:
            if key in self._fetching:
                return False
            self._fetching.add(key)
            return True

    def _put(self, key: str, entry: Entry[T]) -> None:
        with self._lock:
            self._entries[key] = entry
            self._entries.move_to_end(key)
            while len(self._entries) > self._size:
                self._entries.popitem(last=False)
