"""Which products this process has just written, so that their pages show it before the index does."""

from __future__ import annotations

import threading
import time

_SECONDS = 10.0
_MOST = 1_000


class RecentWrites:
    """The index follows within a second. A page that is asked for before is made of the document instead."""

    def __init__(self) -> None:
        self._written: dict[str, tuple[float, int]] = {}
        self._lock = threading.Lock()

    def note(self, slug: str, version: int) -> None:
        with self._lock:
            if len(self._written) >= _MOST:
                self._written.clear()
            self._written[slug] = (time.monotonic() + _SECONDS, version)

    def is_behind(self, slug: str, version: int) -> bool:
        """Whether `version`, which the index shows for `slug`, is older than what was written here."""
        found = self._written.get(slug)
        return found is not None and found[0] > time.monotonic() and found[1] > version
