"""Where indexes live: `<DATA_DIR>/index/<name>/`, and `CURRENT`, a file that names the one in use.

A rebuild goes into a new folder and becomes current by one rename, so that readers never see half an index.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from catalog.readmodel.schema import LAYOUT

#: Readers notice a new CURRENT at their next request; a former index is kept this long for those under way.
KEEP_FORMER_SECONDS = 60.0


class IndexFolder:
    """The folder of all indexes of one replica."""

    def __init__(self, root: Path) -> None:
        self.root = root / "index"
        self._pointer = str(self.root / "CURRENT")
        self._named: tuple[tuple[int, int], str] = ((0, 0), "")

    def current(self) -> Path | None:
        """The index in use; None before the first was built, or when it was built by other code."""
        stamp = self.stamp()
        return None if stamp is None else self.root / stamp[0]

    def stamp(self) -> tuple[str, int] | None:
        """Changes with every commit: (name of the current index, time of its last commit in ns)."""
        try:
            name = self._name()
            if not name.startswith(_prefix()):
                return None
            return name, os.stat(f"{self.root}/{name}/meta.json").st_mtime_ns
        except OSError:
            return None

    def _name(self) -> str:
        """What CURRENT says, read again only when it was replaced: every request asks."""
        found = os.stat(self._pointer)
        mark = (found.st_ino, found.st_mtime_ns)
        if self._named[0] != mark:
            self._named = (mark, Path(self._pointer).read_text().strip())
        return self._named[1]

    def fresh(self) -> Path:
        """A new, empty folder for an index that is to be built."""
        path = self.root / f"{_prefix()}{time.time_ns():x}"
        path.mkdir(parents=True)
        return path

    def use(self, path: Path) -> None:
        """Make `path` the current index."""
        pointer = self.root / "CURRENT.new"
        pointer.write_text(path.name)
        os.replace(pointer, self.root / "CURRENT")

    def clean(self) -> None:
        """Remove the folders of former indexes."""
        current = self.current()
        limit = time.time() - KEEP_FORMER_SECONDS
        for path in self.root.iterdir() if self.root.exists() else ():
            if path.is_dir() and path != current and path.stat().st_mtime < limit:
                shutil.rmtree(path, ignore_errors=True)


def _prefix() -> str:
    return f"v{LAYOUT}-"
