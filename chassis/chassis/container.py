"""The seam through which a service gets its real dependencies, and a test its fakes."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

P = TypeVar("P")


class Container(Generic[P]):
    """Parts built at their first use, once per process.

    A pool of connections must not be shared over a fork, so a forked child builds its own.

        container = Container(build)
        container.get().products.get(id)
        with container.override(fakes): ...      # in tests
    """

    def __init__(self, build: Callable[[], P]) -> None:
        self._build = build
        self._lock = threading.Lock()
        self._built: tuple[int, P] | None = None
        self._override: list[P] = []

    def get(self) -> P:
        if self._override:
            return self._override[-1]
        built = self._built
        if built is not None and built[0] == os.getpid():
            return built[1]
        return self._build_once()

    def _build_once(self) -> P:
        with self._lock:
            if self._built is None or self._built[0] != os.getpid():
                self._built = (os.getpid(), self._build())
            return self._built[1]

    def reset(self) -> None:
        """Forget what was built: the next `get()` builds again."""
        self._built = None

    def install(self, dependencies: P) -> None:
        """Answer `dependencies` from now on: for a test run's set-up, where there is no block to end."""
        self._override.append(dependencies)

    @contextmanager
    def override(self, dependencies: P) -> Iterator[P]:
        """Answer `dependencies` for the length of the block, in every thread."""
        self._override.append(dependencies)
        try:
            yield dependencies
        finally:
            self._override.pop()
