"""Products just written by this process, so that their pages show it before the index does."""

from __future__ import annotations

import threading
import time

_SECONDS = 10.0
_MAX_ENTRIES = 1_000


class RecentWrites:
    """Versions of the products written in the last seconds.

    The index follows within a second; a page that is requested before is made from the document instead.
    """

    def __init__(self) -> None:
        self._written: dict[str, tuple[float, int]] = {}
        self._lock = threading.Lock()

    def add(self, slug: str, version: int) -> None:
        with self._lock:
            if len(self._written) >= _MAX_ENTRIES:
                self._written.clear()
            self._written[slug] = (time.monotonic() + _SECONDS, version)

    def is_behind(self, slug: str, version: int) -> bool:
        """Return True if `version`, shown by the index for `slug`, is older than the one written here."""
        found = self._written.get(slug)
        return found is not None and found[0] > time.monotonic() and found[1] > version
