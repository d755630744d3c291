"""What a run measured, by name: on the terminal as it comes, and in a file for docs/swarm-figures.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


class Figures:
    """Numbers with a name; a name that comes again replaces the one before."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.known: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}

    def put(self, name: str, value: Any) -> None:
        self.known[name] = value
        self._file.write_text(json.dumps(self.known, indent=1))
        print(f"\n    {name}: {value}", end="", flush=True)  # noqa: T201 - for who waits for twenty minutes
