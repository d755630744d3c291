"""A value that many pages share: fetched at most once in a few seconds, kept while its source is away."""

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
    made: float
    checked: float


class Recent(Generic[T]):
    """Remembers answers by key for `fresh` seconds, and up to `keep` seconds when fetching a new one fails.

    One thread fetches a key again; the others take the old answer meanwhile. At most `size` keys are kept.
    """

    def __init__(
        self, *, fresh: float, keep: float, size: int = 256, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._fresh, self._keep, self._size, self._clock = fresh, keep, size, clock
        self._lock = threading.Lock()
        self._found: OrderedDict[str, Entry[T]] = OrderedDict()
        self._under_way: set[str] = set()

    def get(self, key: str, fetch: Callable[[], T], *, failures: tuple[type[Exception], ...]) -> T:
        """The remembered value or a fetched one. One of `failures` is raised only when nothing is
        remembered."""
        entry = self._entry(key)
        if entry is not None and (self._clock() - entry.checked < self._fresh or not self._claim(key)):
            return entry.value
        try:
            value = fetch()
        except failures:
            if entry is None:
                raise
            # Not asked again at once: the source may need the time to come back.
            self._put(key, Entry(entry.value, entry.made, self._clock()))
            return entry.value
        finally:
            with self._lock:
                self._under_way.discard(key)
        now = self._clock()
        self._put(key, Entry(value, now, now))
        return value

    def _entry(self, key: str) -> Entry[T] | None:
        with self._lock:
            entry = self._found.get(key)
        return entry if entry is not None and self._clock() - entry.made < self._keep else None

    def _claim(self, key: str) -> bool:
        with self._lock:
            if key in self._under_way:
                return False
            self._under_way.add(key)
            return True

    def _put(self, key: str, entry: Entry[T]) -> None:
        with self._lock:
            self._found[key] = entry
            self._found.move_to_end(key)
            while len(self._found) > self._size:
                self._found.popitem(last=False)
