"""What the images install: parts of the lock files, with their hashes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from swarm.options import ROOT

Locked = dict[str, str]
"""package -> its lines in a lock file: `name==version \\` and its hashes"""


@cache
def locked(file: Path) -> Mapping[str, str]:
    """Return a lock file of pip-compile by package, without its comments."""
    found: Locked = {}
    lines = [line.rstrip() for line in file.read_text().splitlines() if not line.lstrip().startswith("#")]
    for entry in re.split(r"\n(?=\S)", "\n".join(filter(None, lines))):
        found[entry.partition("==")[0]] = entry
    return found


def common_packages(folders: Iterable[str]) -> Locked:
    """Return what is locked alike in every one of these folders."""
    first, *others = [locked(ROOT / folder / "requirements.txt") for folder in folders]
    return {name: entry for name, entry in first.items() if all(one.get(name) == entry for one in others)}


def specific_packages(folder: str, folders: Iterable[str]) -> Locked:
    """Return what a folder needs beyond that."""
    shared = common_packages(folders)
    own = locked(ROOT / folder / "requirements.txt")
    return {name: entry for name, entry in own.items() if name not in shared}


def dev_packages(*packages: str) -> Locked:
    """Single packages of the development lock, which has the stores and the gateway."""
    locked_packages = locked(ROOT / "requirements" / "dev.txt")
    return {name: locked_packages[name] for name in packages}


def to_text(entries: Mapping[str, str]) -> bytes:
    """As pip reads it."""
    return "".join(f"{entries[name]}\n" for name in sorted(entries)).encode()
