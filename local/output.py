"""One log of all processes: a file with each line and its process's name, and a screen."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from pathlib import Path
from typing import TextIO

from local.screens import NAME_WIDTH, Screen

MAX_FILE_BYTES = 20 * 1024 * 1024  # bytes before the file is put aside; one older file is kept
FILE = "hivemart.log"


class Log:
    """The log that every process writes to.

    `say` is for the supervisor itself, `line` for what a process printed.
    """

    def __init__(self, folder: Path, screen: Screen) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / FILE
        self.screen = screen
        self._last: dict[str, deque[str]] = defaultdict(lambda: deque(maxlen=15))
        self._lock = threading.Lock()
        self._file = self._open()

    def _open(self) -> TextIO:
        if self.path.exists() and self.path.stat().st_size > MAX_FILE_BYTES:
            self.path.replace(self.path.with_suffix(".log.1"))
        return self.path.open("a", encoding="utf-8", errors="replace")

    def say(self, text: str, level: str = "info") -> None:
        """Log a line of the supervisor's own; `level` is info, warning or error."""
        self._write_line("hivemart", text)
        self.screen.say(text, level)

    def step(self, text: str) -> None:
        """Log a step of the start."""
        self._write_line("hivemart", text)
        self.screen.step(text)

    def line(self, name: str, text: str) -> None:
        """Log a line that the process `name` printed."""
        self._write_line(name, text)
        self.screen.line(name, text)

    def last_of(self, name: str) -> list[str]:
        """Return the last lines of a process, to show why it ended."""
        return list(self._last[name])

    def close(self) -> None:
        self.screen.close()
        self._file.close()

    def _write_line(self, name: str, text: str) -> None:
        with self._lock:
            self._last[name].append(text)
            self._file.write(f"{name:<{NAME_WIDTH}} | {text}\n")
            self._file.flush()
            if self._file.tell() > MAX_FILE_BYTES:
                self._file.close()
                self._file = self._open()
