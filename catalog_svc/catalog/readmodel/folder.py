"""Folder of indexes: `<DATA_DIR>/index/<name>/`, and `CURRENT`, a file that names the active one.

A rebuild goes into a new folder and becomes current by one rename, so that readers never see half an index.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from catalog.readmodel.schema import LAYOUT

#: Readers notice a new CURRENT at their next request; the old index is kept this long for running ones.
OLD_INDEX_RETENTION_SECONDS = 60.0


class IndexFolder:
    """The folder of all indexes of one replica."""

    def __init__(self, root: Path) -> None:
        self.root = root / "index"
        self._pointer = str(self.root / "CURRENT")
        self._named: tuple[tuple[int, int], str] = ((0, 0), "")

    def current(self) -> Path | None:
        """Return the active index; None before the first was built, or if other code built it."""
        stamp = self.stamp()
        return None if stamp is None else self.root / stamp[0]

    def stamp(self) -> tuple[str, int] | None:
        """Return the name of the active index and the time of its last commit in ns.

        It changes with every commit.
        """
        try:
            name = self._name()
            if not name.startswith(_prefix()):
                return None
            return name, os.stat(f"{self.root}/{name}/meta.json").st_mtime_ns
        except OSError:
            return None

    def _name(self) -> str:
        """Return the content of CURRENT, read again only if it was replaced: every request asks."""
        found = os.stat(self._pointer)
        mark = (found.st_ino, found.st_mtime_ns)
        if self._named[0] != mark:
            self._named = (mark, Path(self._pointer).read_text().strip())
        return self._named[1]

    def create_new(self) -> Path:
        """Create an empty folder for an index that is to be built."""
        path = self.root / f"{_prefix()}{time.time_ns():x}"
        path.mkdir(parents=True)
        return path

    def activate(self, path: Path) -> None:
        """Make `path` the current index."""
        pointer = self.root / "CURRENT.new"
        pointer.write_text(path.name)
        os.replace(pointer, self.root / "CURRENT")

    def remove_old(self) -> None:
        """Remove the folders of former indexes."""
        current = self.current()
        limit = time.time() - OLD_INDEX_RETENTION_SECONDS
        for path in self.root.iterdir() if self.root.exists() else ():
            if path.is_dir() and path != current and path.stat().st_mtime < limit:
                shutil.rmtree(path, ignore_errors=True)


def _prefix() -> str:
    return f"v{LAYOUT}-"
