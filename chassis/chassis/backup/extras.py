"""What a service keeps outside of its databases, as a tar file."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_TYPE = "HIVEMART.content_type"  # vendor keywords are upper case, as POSIX wants it

Say = Callable[[str], None]


@dataclass(frozen=True)
class Blob:
    name: str
    data: bytes
    content_type: str


class Extra(Protocol):
    """What `container.BACKUP_EXTRA` maps names to."""

    def blobs(self) -> Iterable[Blob]:
        """All there are, one after the other."""

    def put(self, blob: Blob) -> None:
        """Store it, or store it again."""


def save(extra: Extra, path: Path) -> int:
    """Write all blobs into a tar file; how many there were."""
    count = 0
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for blob in extra.blobs():
            entry = tarfile.TarInfo(blob.name)
            entry.size, entry.pax_headers = len(blob.data), {_TYPE: blob.content_type}
            tar.addfile(entry, io.BytesIO(blob.data))
            count += 1
    return count


def load(extra: Extra, path: Path) -> int:
    """Store all blobs of a tar file; how many there were."""
    count = 0
    with tarfile.open(path, "r|") as tar:
        for entry in tar:
            file = tar.extractfile(entry)
            if file is not None:
                extra.put(Blob(entry.name, file.read(), entry.pax_headers.get(_TYPE, "")))
                count += 1
    return count
