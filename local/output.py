"""One log for all parts: each line with its part's name in its own colour, on the terminal and in a file."""

from __future__ import annotations

import os
import sys
import threading
from collections import defaultdict, deque
from pathlib import Path
from typing import TextIO

WIDTH = 17  # of the longest name
COLOURS = ("36", "33", "32", "35", "34", "96", "93", "92", "95", "94")
LARGEST = 20 * 1024 * 1024  # bytes of the file before it is put aside; one older file is kept


class Log:
    """Where everybody writes. `say` is for the supervisor itself, `line` for what a part printed."""

    def __init__(self, folder: Path, *, terminal: TextIO | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "hivemart.log"
        self._terminal = terminal or sys.stdout
        self._coloured = self._terminal.isatty() and "NO_COLOR" not in os.environ
        self._colours: dict[str, str] = {}
        self._last: dict[str, deque[str]] = defaultdict(lambda: deque(maxlen=15))
        self._lock = threading.Lock()
        self._file = self._open()

    def _open(self) -> TextIO:
        if self._path.exists() and self._path.stat().st_size > LARGEST:
            self._path.replace(self._path.with_suffix(".log.1"))
        return self._path.open("a", encoding="utf-8", errors="replace")

    def say(self, text: str) -> None:
        """A line of the supervisor's own."""
        self.line("hivemart", text)

    def line(self, name: str, text: str) -> None:
        """A line that the part `name` printed."""
        with self._lock:
            self._last[name].append(text)
            self._write_file(f"{name:<{WIDTH}} | {text}\n")
            self._write_terminal(f"{self._painted(name)} | {text}\n")

    def last_of(self, name: str) -> list[str]:
        """The last lines of a part, to show why it ended."""
        return list(self._last[name])

    def close(self) -> None:
        self._file.close()

    def _painted(self, name: str) -> str:
        padded = f"{name:<{WIDTH}}"
        if not self._coloured:
            return padded
        colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
        return f"\x1b[{colour}m{padded}\x1b[0m"

    def _write_file(self, text: str) -> None:
        self._file.write(text)
        self._file.flush()
        if self._file.tell() > LARGEST:
            self._file.close()
            self._file = self._open()

    def _write_terminal(self, text: str) -> None:
        try:
            self._terminal.write(text)
            self._terminal.flush()
        except (OSError, ValueError):  # the terminal is gone; the file still has everything
            self._terminal = self._file
