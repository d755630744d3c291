"""This machine's totals, from /proc."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class NodeUsage:
    cpu_seconds: float
    """busy, all processors together, since the machine's start"""
    cores: int
    memory: int
    """bytes that are not available"""
    memory_total: int


@dataclass(frozen=True, slots=True)
class Node:
    proc: Path
    name: str
    id: str

    def usage(self) -> NodeUsage:
        """Return the machine's totals. Raises OSError or ValueError where there is no such /proc."""
        stat = (self.proc / "stat").read_text().splitlines()
        user, nice, system, _idle, _iowait, irq, softirq, *_ = map(int, stat[0].split()[1:])
        memory = {}
        for line in (self.proc / "meminfo").read_text().splitlines():
            name, _, rest = line.partition(":")
            memory[name] = int(rest.split()[0]) * 1024
        return NodeUsage(
            cpu_seconds=(user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK"),
            cores=sum(1 for line in stat if line.startswith("cpu")) - 1,
            memory=memory["MemTotal"] - memory["MemAvailable"],
            memory_total=memory["MemTotal"],
        )
