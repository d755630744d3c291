"""What a backup says about itself, and whether that is so."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

FILE = "manifest.json"
FORMAT = 1


class BadBackup(Exception):
    """The folder holds no whole backup of this service; the text says what is wrong."""


@dataclass(frozen=True)
class Part:
    """One file; `counts` are of documents, tombstones, conflicts, attachments or blobs."""

    file: str
    sha256: str
    bytes: int
    counts: Mapping[str, int]
    update_seq: Any = None

    @classmethod
    def of(cls, path: Path, counts: Mapping[str, int], update_seq: Any = None) -> Part:
        """Of a file that is written; it is on the disk afterwards."""
        with path.open("rb") as file:
            os.fsync(file.fileno())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(path.name, digest, path.stat().st_size, dict(counts), update_seq)

    def check(self, folder: Path) -> None:
        """Raise BadBackup unless the file is what it was."""
        path = folder / self.file
        if not path.is_file():
            raise BadBackup(f"{self.file} is missing")
        if path.stat().st_size != self.bytes:
            raise BadBackup(f"{self.file} has {path.stat().st_size} bytes instead of {self.bytes}")
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != self.sha256:
                raise BadBackup(f"{self.file} has changed since it was written: its checksum is another one")


@dataclass(frozen=True)
class Manifest:
    """`at` is when the backup began, RFC 3339."""

    service: str
    at: str
    databases: Mapping[str, Part] = field(default_factory=dict)
    extras: Mapping[str, Part] = field(default_factory=dict)
    format: int = FORMAT

    def write(self, folder: Path) -> None:
        """In one step: a backup is whole, or has no manifest."""
        fresh = folder / f"{FILE}.new"
        with fresh.open("w") as file:
            json.dump(asdict(self), file, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(folder / FILE)

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Return the manifest in the folder. Raises BadBackup."""
        try:
            raw = json.loads((folder / FILE).read_text())
            parts = {
                group: {name: Part(**part) for name, part in raw[group].items()}
                for group in ("databases", "extras")
            }
            found = cls(service=raw["service"], at=raw["at"], format=raw["format"], **parts)
        except FileNotFoundError as error:
            raise BadBackup("there is no manifest: the backup was cut short, or this is none") from error
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadBackup(f"{FILE} cannot be read: {error}") from error
        if found.format != FORMAT:
            raise BadBackup(f"it is of format {found.format}, and this version knows {FORMAT}")
        return found

    def check(self, folder: Path) -> None:
        """Whether every file is there and unchanged. Raises `BadBackup`."""
        for part in (*self.databases.values(), *self.extras.values()):
            part.check(folder)
