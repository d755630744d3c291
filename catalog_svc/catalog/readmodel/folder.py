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

    def current(self) -> Path | None:
        """The index in use; None before the first was built, or when it was built by other code."""
        try:
            name = (self.root / "CURRENT").read_text().strip()
        except OSError:
            return None
        path = self.root / name
        return path if name.startswith(_prefix()) and (path / "meta.json").exists() else None

    def stamp(self) -> tuple[str, int] | None:
        """Changes with every commit: (name of the current index, time of its last commit in ns)."""
        path = self.current()
        if path is None:
            return None
        try:
            return path.name, (path / "meta.json").stat().st_mtime_ns
        except OSError:
            return None

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
