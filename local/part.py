"""What the supervisor is told of each part."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path


class Kind(IntEnum):
    """Dependencies are stopped in this order: who asks before who is asked."""

    WORKER = 1
    SERVICE = 2
    STORE = 3


@dataclass(frozen=True, kw_only=True)
class Part:
    """One process of the shop."""

    name: str
    command: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str] = field(repr=False)
    kind: Kind = Kind.SERVICE
    port: int | None = None
    """ready once this port of the loopback takes connections; without one, as soon as it runs"""
    after: tuple[str, ...] = ()
    """names of the parts that have to be ready first"""
    once: bool = False
    """runs to its end, and is ready when that was a good one"""
    patience: float = 90.0
    """seconds until it has to be ready"""


async def listens(port: int) -> bool:
    """Whether something takes connections at this port of the loopback."""
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), 1.0)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
