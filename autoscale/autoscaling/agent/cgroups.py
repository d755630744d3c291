"""Counters of a container, read from the kernel's control groups: version 1 and 2, both of Docker's drivers.

https://docs.kernel.org/admin-guide/cgroup-v1/ and https://docs.kernel.org/admin-guide/cgroup-v2.html
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

UNLIMITED = 1 << 60  # version 1 says "no limit" with a number near 2^63
DEEPEST = 4  # folders below a hierarchy that are searched, for engines inside of containers


@dataclass(frozen=True, slots=True)
class Usage:
    """Totals since the container's start. None: not limited."""

    cpu_seconds: float
    throttled_seconds: float
    cpu_limit: float | None
    memory: int
    """bytes in use, without file pages that the kernel may drop at once"""
    memory_limit: int | None


class Gone(Exception):
    """The container has ended, or its group cannot be found."""


class Cgroups:
    """The hierarchy mounted at `root`, as the host has it at /sys/fs/cgroup."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.unified = (root / "cgroup.controllers").exists()
        self._folders: dict[str, dict[str, str]] = {}

    def usage(self, container: str) -> Usage:
        """Return the CPU time that the control group used. Raises Gone."""
        folders = self._folders.get(container) or self._find(container)
        try:
            return _unified(folders["cpu"]) if self.unified else _version_1(folders)
        except (OSError, ValueError, KeyError, IndexError) as error:
            self._folders.pop(container, None)
            raise Gone(container) from error

    def forget(self, known: set[str]) -> None:
        """Drop what was remembered of containers that are not `known` any more."""
        for container in self._folders.keys() - known:
            del self._folders[container]

    def _find(self, container: str) -> dict[str, str]:
        controllers = ("cpu",) if self.unified else ("cpu", "cpuacct", "memory")
        found = {name: self._folder(name, container) for name in controllers}
        self._folders[container] = found
        return found

    def _folder(self, controller: str, container: str) -> str:
        top = self.root if self.unified else self.root / controller
        names = (container, f"docker-{container}.scope")
        for likely in (top / "docker" / container, top / "system.slice" / names[1]):
            if likely.is_dir():
                return str(likely)
        for path, folders, _ in os.walk(top):
            if here := next((name for name in names if name in folders), None):
                return os.path.join(path, here)
            if len(Path(path).relative_to(top).parts) >= DEEPEST:
                folders.clear()
        raise Gone(container)


def _read(path: str) -> str:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(file, 16384).decode("ascii", "replace")
    finally:
        os.close(file)


def _table(text: str) -> dict[str, int]:
    rows = (line.split() for line in text.splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) == 2}


def _version_1(folders: dict[str, str]) -> Usage:
    cpu, memory = folders["cpu"], folders["memory"]
    quota, period = int(_read(f"{cpu}/cpu.cfs_quota_us")), int(_read(f"{cpu}/cpu.cfs_period_us"))
    limit = int(_read(f"{memory}/memory.limit_in_bytes"))
    droppable = _table(_read(f"{memory}/memory.stat")).get("total_inactive_file", 0)
    return Usage(
        cpu_seconds=int(_read(f"{folders['cpuacct']}/cpuacct.usage")) / 1e9,
        throttled_seconds=_table(_read(f"{cpu}/cpu.stat")).get("throttled_time", 0) / 1e9,
        cpu_limit=quota / period if quota > 0 and period > 0 else None,
        memory=max(0, int(_read(f"{memory}/memory.usage_in_bytes")) - droppable),
        memory_limit=limit if limit < UNLIMITED else None,
    )


def _unified(folder: str) -> Usage:
    cpu = _table(_read(f"{folder}/cpu.stat"))
    quota, period = _read(f"{folder}/cpu.max").split()
    limit = _read(f"{folder}/memory.max").strip()
    droppable = _table(_read(f"{folder}/memory.stat")).get("inactive_file", 0)
    return Usage(
        cpu_seconds=cpu["usage_usec"] / 1e6,
        throttled_seconds=cpu.get("throttled_usec", 0) / 1e6,
        cpu_limit=None if quota == "max" else int(quota) / int(period),
        memory=max(0, int(_read(f"{folder}/memory.current")) - droppable),
        memory_limit=None if limit == "max" else int(limit),
    )
