"""Model files, named by their content hash and memory-mapped (`model_codec.py`).

All workers of a machine share the pages of a mapped file, and switching models costs nothing. Readers of the
previous model can go on reading it.
"""

from __future__ import annotations

import hashlib
import logging
import mmap
import os
import time
from collections.abc import Callable
from pathlib import Path

from reco.domain import MAX_MODELS, Lists
from reco.model_codec import unpack

log = logging.getLogger(__name__)

ABANDONED_AFTER = 3600.0  # seconds after which a temporary file is abandoned


def content_name(data: bytes) -> str:
    """Return the file name of some content: its hash."""
    return hashlib.sha256(data).hexdigest() + ".lists"


def verify_content(data: bytes, name: str) -> bytes:
    """Return the bytes unchanged; raises ValueError if they do not match the name."""
    if content_name(data) != name:
        raise ValueError(f"the model's file is damaged: {len(data)} bytes that are not {name[:12]}…")
    return data


class ModelFiles:
    """Model files on this machine's disk, shared by the workers; a damaged one is fetched again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open(self, name: str, fetch: Callable[[], bytes]) -> Lists:
        """Open a model; raises ValueError if the fetched bytes do not match the name."""
        path = self._folder / name
        if not self._is_intact(path):
            self._write(path, verify_content(fetch(), name))
        with path.open("rb") as file:
            lists = unpack(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        path.touch()
        self._delete_old()
        return lists

    @staticmethod
    def _is_intact(path: Path) -> bool:
        if not path.exists():
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() + ".lists" == path.name

    def _write(self, path: Path, data: bytes) -> None:
        """Write under a temporary name first, so that no other worker sees half a file."""
        self._folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".part-{os.getpid()}")
        part.write_bytes(data)
        part.replace(path)

    def _delete_old(self) -> None:
        """Remove the files of models that cannot be restored, and abandoned temporary files.

        A worker that still reads a removed file can go on reading it.
        """
        files = sorted(self._folder.glob("*.lists"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in files[MAX_MODELS:]:
            path.unlink(missing_ok=True)
        for path in self._folder.glob("*.part-*"):
            if path.stat().st_mtime < time.time() - ABANDONED_AFTER:
                path.unlink(missing_ok=True)
