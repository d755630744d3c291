"""A trained model as one file that is named by its content, and read where it lies (`packing.py`).

The file is mapped into memory, so that all workers of a machine share its pages and a swap costs nothing.
Readers that still hold the model before go on reading it.
"""

from __future__ import annotations

import hashlib
import logging
import mmap
import os
import time
from collections.abc import Callable
from pathlib import Path

from reco.domain import KEPT_MODELS, Lists
from reco.packing import unpack

log = logging.getLogger(__name__)

ABANDONED = 3600.0  # seconds after which nobody is writing a copy any more


def name_of(data: bytes) -> str:
    """What a file is called: by its content."""
    return hashlib.sha256(data).hexdigest() + ".lists"


def checked(data: bytes, name: str) -> bytes:
    """The same bytes; ValueError when they are not those of this name."""
    if name_of(data) != name:
        raise ValueError(f"the model's file is damaged: {len(data)} bytes that are not {name[:12]}…")
    return data


class Files:
    """Files of models on this machine's disk, shared by the workers; what is damaged is fetched again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open(self, name: str, fetch: Callable[[], bytes]) -> Lists:
        """Raises ValueError when what was fetched is not the file of this name."""
        path = self._folder / name
        if not self._sound(path):
            self._write(path, checked(fetch(), name))
        with path.open("rb") as file:
            lists = unpack(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        path.touch()
        self._tidy()
        return lists

    @staticmethod
    def _sound(path: Path) -> bool:
        if not path.exists():
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() + ".lists" == path.name

    def _write(self, path: Path, data: bytes) -> None:
        """Under another name first: a worker beside this one never sees half a file."""
        self._folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".part-{os.getpid()}")
        part.write_bytes(data)
        part.replace(path)

    def _tidy(self) -> None:
        """Only what may be put back stays; who still reads a removed file goes on reading it. So do copies
        that another worker is writing, but not those of one that was killed at it."""
        files = sorted(self._folder.glob("*.lists"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in files[KEPT_MODELS:]:
            path.unlink(missing_ok=True)
        for path in self._folder.glob("*.part-*"):
            if path.stat().st_mtime < time.time() - ABANDONED:
                path.unlink(missing_ok=True)
