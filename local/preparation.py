"""Which services need `manage.py prepare`: those whose code changed since, or all when databases are gone.

Starting Django seven times only to find that nothing is to do would double the time of a second start.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from local.data import SERVICES
from local.options import ROOT
from local.plan import FOLDERS


def fingerprint(folders: Iterable[Path]) -> str:
    """Of all Python files below the folders: names, sizes and times, for it runs at every start."""
    digest = hashlib.sha256()
    for folder in folders:
        for file in sorted(folder.rglob("*.py")):
            if "tests" in file.parts or "node_modules" in file.parts:
                continue
            stat = file.stat()
            digest.update(f"{file}:{stat.st_size}:{stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


class PreparationRecord:
    """What was prepared in this data folder."""

    def __init__(self, data: Path) -> None:
        self._file = data / "prepared.json"
        self._couch = data / "couch"

    def services_to_prepare(self) -> tuple[str, ...]:
        """Return the services to prepare now."""
        try:
            known = json.loads(self._file.read_text())
        except (OSError, ValueError):
            return SERVICES
        if not any(self._couch.glob("*")) or not set(known.get("databases", [])) <= self._databases():
            return SERVICES
        now = self._current_fingerprints()
        return tuple(name for name in SERVICES if known.get("code", {}).get(name) != now[name])

    def save(self) -> None:
        """All services are prepared with the code of now."""
        self._file.write_text(
            json.dumps({"code": self._current_fingerprints(), "databases": sorted(self._databases())})
        )

    def _databases(self) -> set[str]:
        return {folder.name for folder in self._couch.iterdir() if folder.is_dir()}

    @staticmethod
    def _current_fingerprints() -> dict[str, str]:
        return {name: fingerprint([ROOT / FOLDERS[name], ROOT / "chassis"]) for name in SERVICES}
