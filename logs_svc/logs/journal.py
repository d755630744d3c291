"""The journal of accepted events that are not stored yet, on this machine's disk.

A web process appends to a file of its own (`<name>.open`). From time to time it is sealed under the name of a
UUIDv7 (`<name>.seg`), and whoever locks a sealed file stores and removes it. A file of a process that has
ended is sealed by the next one that looks. All files are locked with flock, which the kernel releases when a
process dies.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

OPEN, SEALED, BAD = ".open", ".seg", ".bad"


class JournalFull(Exception):
    """The store has been unavailable for so long that no more events are accepted."""

    retry_after = 10


class Journal:
    """Append-only files in one folder, shared by the processes of a machine.

    `max_bytes` limits the size of all files together.
    """

    def __init__(self, folder: Path, new_id: Callable[[], str], *, max_bytes: int = 64 << 20) -> None:
        self.folder, self._new_id, self._max_bytes = folder, new_id, max_bytes
        self._lock = threading.Lock()
        self._file: tuple[Path, int] | None = None
        self._pid = 0
        self._size = 0

    def append(self, line: bytes) -> None:
        """Append a line (without its end); raises JournalFull, OSError.

        When this returns the operating system has it: it survives this process, and everything but the
        machine's own failure, which loses the lines since the last `seal`. Waiting for the disk here would
        cost each page a few milliseconds.
        """
        with self._lock:
            _, number = self._opened()
            if self._size + len(line) > self._max_bytes:
                raise JournalFull(f"{self._size >> 20} MB are not stored yet")
            data = line + b"\n"
            written = os.write(number, data)
            if written != len(data):
                self._close()  # the torn line has no end and is ignored; the next line goes to another file
                raise OSError(f"{self.folder} took {written} of {len(data)} bytes")
            self._size += len(data)

    def seal(self) -> Path | None:
        """Close the current file under the permanent name of its events."""
        with self._lock:
            if self._file is None or self._pid != os.getpid() or not os.fstat(self._file[1]).st_size:
                return None
            path, number = self._file
            sealed = self.folder / f"{self._new_id()}{SEALED}"
            path.rename(sealed)
            self._file = None
        os.fdatasync(number)  # without the lock: appending does not wait for the disk
        os.close(number)
        return sealed

    def seal_orphans(self) -> int:
        """Seal the files of processes that have ended, and return their number."""
        found = 0
        for path in self._files(OPEN):
            with try_lock(path) as number:
                if number is None:
                    continue
                if os.fstat(number).st_size:
                    path.rename(self.folder / f"{self._new_id()}{SEALED}")
                    found += 1
                else:
                    path.unlink()
        return found

    def sealed_files(self, min_age: float = 0.0) -> list[Path]:
        """List the sealed files, oldest first; with `min_age`, only those unchanged for that many seconds."""
        files = self._files(SEALED)
        if not min_age:
            return files
        return [path for path in files if _age(path) >= min_age]

    def remove(self, path: Path, size: int) -> None:
        """Remove a file that was stored."""
        path.unlink(missing_ok=True)
        with self._lock:
            self._size = max(0, self._size - size)

    def quarantine(self, path: Path) -> None:
        """Quarantine a file that cannot be stored, for a person to look at."""
        path.rename(path.with_suffix(BAD))

    def pending_bytes(self) -> int:
        """Return the number of bytes that are not stored yet."""
        return sum(self._sizes((OPEN, SEALED)))

    def quarantined(self) -> list[Path]:
        return self._files(BAD)

    def _opened(self) -> tuple[Path, int]:
        if self._file is not None and self._pid == os.getpid():
            return self._file
        self.folder.mkdir(parents=True, exist_ok=True)
        while True:
            path = self.folder / f"{self._new_id()}{OPEN}"
            number = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600)
            try:
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if path.exists():
                    break
            except OSError:
                pass  # another process sealed it between the two calls
            os.close(number)
        self._file, self._pid = (path, number), os.getpid()
        self._size = self.pending_bytes()
        return self._file

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file[1])
        self._file = None

    def _files(self, suffix: str) -> list[Path]:
        with suppress(FileNotFoundError):
            return sorted(path for path in self.folder.iterdir() if path.suffix == suffix)
        return []

    def _sizes(self, suffixes: tuple[str, ...]) -> Iterator[int]:
        for suffix in suffixes:
            for path in self._files(suffix):
                with suppress(FileNotFoundError):
                    yield path.stat().st_size


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


@contextmanager
def try_lock(path: Path) -> Iterator[int | None]:
    """Yield the locked file's descriptor; None if it is gone or locked by another process."""
    try:
        number = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        yield None
        return
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The lock is on the file, not on its name: the file may have been stored and removed meanwhile.
            mine = os.path.exists(path) and os.stat(path).st_ino == os.fstat(number).st_ino
        except OSError:
            mine = False
        yield number if mine else None
    finally:
        os.close(number)
