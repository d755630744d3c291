"""The specification of a process that the supervisor runs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path


class ProcessKind(IntEnum):
    """Processes are stopped in this order: clients before the stores that they use."""

    WORKER = 1
    SERVICE = 2
    STORE = 3


@dataclass(frozen=True, kw_only=True)
class ProcessSpec:
    """One process of the shop."""

    name: str
    command: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str] = field(repr=False)
    kind: ProcessKind = ProcessKind.SERVICE
    port: int | None = None
    """ready once this port of the loopback takes connections; without one, as soon as it runs"""
    depends_on: tuple[str, ...] = ()
    """names of the processes that have to be ready first"""
    one_shot: bool = False
    """runs to its end, and is ready when that was a good one"""
    ready_timeout: float = 90.0
    """seconds until it has to be ready"""


async def accepts_connections(port: int) -> bool:
    """Whether something takes connections at this port of the loopback."""
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), 1.0)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
