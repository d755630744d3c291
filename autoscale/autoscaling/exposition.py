"""The Prometheus text format, as far as our own agents write it: with the standard library."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from dataclasses import dataclass

_LINE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)(?: (\d{1,16}))?\Z")
MOST = 1e15  # nothing that is counted here is more
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Row:
    """at: the sample's own time in seconds, None where the line has none."""

    labels: dict[str, str]
    value: float
    at: float | None


def read(text: str) -> dict[str, list[Row]]:
    """Return rows by name of their metric.

    Raises ValueError for a text that is not in the format, and for a value that no counter or gauge of ours
    has: below zero, above MOST, or no number.
    """
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        match = _LINE.match(line)
        if match is None:
            raise ValueError(f"not a metric: {line[:80]!r}")
        name, labels, value, at = match.groups()
        if math.isnan(float(value)):
            continue  # said to be unknown
        if not 0 <= float(value) <= MOST:
            raise ValueError(f"not a possible value: {line[:80]!r}")
        row = Row(dict(_LABEL.findall(labels or "")), float(value), int(at) / 1000 if at else None)
        found[name].append(row)
    return dict(found)


def quoted(text: str) -> str:
    """Return a label's value, in quotes."""
    return '"' + text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"') + '"'
