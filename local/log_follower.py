"""`make logs`: the last lines of the local shop's log, then every new one as it comes."""

from __future__ import annotations

import sys
import time
from collections import deque
from pathlib import Path
from typing import TextIO

from local.output import FILE
from local.screens import VerboseScreen

TAIL_LINES = 40  # lines shown before the new ones
POLL_SECONDS = 0.3


def follow(folder: Path, terminal: TextIO = sys.stdout, *, forever: bool = True) -> int:
    """Print the end of the log in `folder` and what is added to it, also in the file that comes after."""
    path, screen = folder / FILE, VerboseScreen(terminal)
    file = path.open(encoding="utf-8", errors="replace")
    try:
        for line in deque(file, maxlen=TAIL_LINES):
            _show(screen, line)
        while forever or file.tell() < path.stat().st_size:
            if line := file.readline():
                _show(screen, line)
                continue
            if path.exists() and path.stat().st_ino != _inode(file):
                file.close()
                file = path.open(encoding="utf-8", errors="replace")
                continue
            time.sleep(POLL_SECONDS)
    finally:
        file.close()
    return 0


def _show(screen: VerboseScreen, line: str) -> None:
    name, _, text = line.rstrip("\n").partition(" | ")
    screen.line(name.strip(), text)


def _inode(file: TextIO) -> int:
    return Path(f"/proc/self/fd/{file.fileno()}").stat().st_ino
