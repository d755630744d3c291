"""The seam through which a service gets its real parts, and a test its fakes."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

P = TypeVar("P")


class Wiring(Generic[P]):
    """Parts built at their first use, once per process.

    A pool of connections must not be shared over a fork, so a forked child builds its own.

        wiring = Wiring(build)
        wiring.parts().products.get(id)
        with wiring.override(fakes): ...      # in tests
    """

    def __init__(self, build: Callable[[], P]) -> None:
        self._build = build
        self._lock = threading.Lock()
        self._built: tuple[int, P] | None = None
        self._override: list[P] = []

    def parts(self) -> P:
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
        """Forget what was built: the next `parts()` builds again."""
        self._built = None

    def install(self, parts: P) -> None:
        """Answer `parts` from now on: for a test run's set-up, where there is no block to end."""
        self._override.append(parts)

    @contextmanager
    def override(self, parts: P) -> Iterator[P]:
        """Answer `parts` for the length of the block, in every thread."""
        self._override.append(parts)
        try:
            yield parts
        finally:
            self._override.pop()
