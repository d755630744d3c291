"""One file for the backups of all services: a tar that says first what is in it, and is checked when read."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from swarm.cluster import Failed

FORMAT = 1
MANIFEST = "manifest.json"
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Manifest:
    """`files` maps `<service>/<file>` to its sum and size, `services` a service to how many documents."""

    stack: str
    at: str
    services: Mapping[str, int]
    files: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    format: int = FORMAT


class ArchiveDamaged(Failed):
    """The archive is not whole, or is none. Nothing was done with it."""


def pack(folders: Mapping[str, Path], to: Path, *, stack: str, at: str) -> Manifest:
    """Write the folders into `to`, in one step: it is there whole, or not at all."""
    files = {
        f"{name}/{path.name}": path for name, folder in folders.items() for path in sorted(folder.iterdir())
    }
    manifest = Manifest(
        stack=stack,
        at=at,
        services={name: _count_documents(folder / MANIFEST) for name, folder in folders.items()},
        files={name: (_checksum(path), path.stat().st_size) for name, path in files.items()},
    )
    partial = to.with_name(f"{to.name}.partial")
    try:
        with (
            partial.open("wb") as raw,
            tarfile.open(fileobj=raw, mode="w|", format=tarfile.PAX_FORMAT) as tar,
        ):
            _add_file(tar, MANIFEST, json.dumps(asdict(manifest), indent=1).encode())
            for name, path in files.items():
                tar.add(path, arcname=name, filter=_strip_owner)
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        partial.replace(to)
    finally:
        partial.unlink(missing_ok=True)
    return manifest


def unpack(source: Path, into: Path) -> Manifest:
    """Extract and check every file of the archive as `<into>/<service>/<file>`.

    Raises ArchiveDamaged if a file is not what it was.
    """
    try:
        with tarfile.open(source, "r|") as tar:
            return _unpack(tar, into)
    except FileNotFoundError as error:
        raise ArchiveDamaged(f"{source} is not there.") from error
    except (tarfile.TarError, EOFError, ValueError, KeyError, TypeError) as error:
        raise ArchiveDamaged(f"{source} is no whole backup ({error}). Nothing was changed.") from error


def _unpack(tar: tarfile.TarFile, into: Path) -> Manifest:
    manifest: Manifest | None = None
    missing: dict[str, tuple[str, int]] = {}
    for entry in tar:
        file = tar.extractfile(entry)
        if file is None:
            raise ValueError(f"{entry.name} is no file")
        if manifest is None:
            manifest = _read_manifest(entry, file)
            missing = dict(manifest.files)
            continue
        digest, size = missing.pop(entry.name)  # KeyError: a name that is not listed, or is there twice
        _extract_file(file, into / _validate_name(entry.name), digest, size)
    if manifest is None or missing:
        raise ValueError(f"it ends before {next(iter(missing), MANIFEST)}")
    return manifest


def _read_manifest(entry: tarfile.TarInfo, file: IO[bytes]) -> Manifest:
    if entry.name != MANIFEST:
        raise ValueError("it does not begin with a manifest")
    raw: dict[str, Any] = json.loads(file.read())
    if raw["format"] != FORMAT:
        raise ValueError(f"it is of format {raw['format']}, and this version knows {FORMAT}")
    return Manifest(
        stack=raw["stack"],
        at=raw["at"],
        services=raw["services"],
        files={name: (digest, size) for name, (digest, size) in raw["files"].items()},
    )


def _extract_file(file: IO[bytes], path: Path, digest: str, size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    found, written = hashlib.sha256(), 0
    with path.open("wb") as out:
        while chunk := file.read(_CHUNK):
            found.update(chunk)
            written += out.write(chunk)
    path.chmod(0o644)  # the job that reads it is somebody else
    if (found.hexdigest(), written) != (digest, size):
        raise ValueError(f"{path.parent.name}/{path.name} has changed")


def _validate_name(name: str) -> str:
    """Return the name if it is a service and a file in it; raise ValueError otherwise."""
    service, _, file = name.partition("/")
    if not service or not file or "/" in file or service.startswith(".") or file.startswith("."):
        raise ValueError(f"{name} is no name of ours")
    return name


def _count_documents(manifest: Path) -> int:
    databases = json.loads(manifest.read_text())["databases"].values()
    return sum(part["counts"]["documents"] for part in databases)


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _add_file(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    tar.addfile(entry, io.BytesIO(data))


def _strip_owner(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Remove the owner and the mode of the file from its entry."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o600
    return entry
