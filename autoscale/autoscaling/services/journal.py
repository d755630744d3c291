"""Every decision with its inputs, as JSON lines in a file that cannot grow without end."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

MOST = 32 << 20  # bytes; the file before it is kept too


class Journal:
    """Appends; at `most` bytes the file becomes `….1`, over the one before. A full disk stops nothing."""

    def __init__(self, path: Path, most: int = MOST) -> None:
        self._path, self._most = path, most
        self._failed = False

    def write(self, record: Mapping[str, Any]) -> None:
        line = json.dumps(record, separators=(",", ":"), ensure_ascii=False) + "\n"
        try:
            if self._path.exists() and self._path.stat().st_size + len(line) > self._most:
                os.replace(self._path, self._path.with_name(f"{self._path.name}.1"))
            with self._path.open("a", encoding="utf-8") as file:
                file.write(line)
            self._failed = False
        except OSError as error:
            if not self._failed:
                log.warning("decisions cannot be written: %s", error)
            self._failed = True
