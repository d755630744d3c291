"""What a training has read already, kept in parts so that one that was killed goes on from there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

FORMAT = 1
KEPT_FOR = timedelta(days=1)  # what people wanted erased must not lie about for longer


@dataclass(frozen=True, slots=True)
class Amount:
    """How much there is to learn from. `people`: accounts and sessions. `neighbours`: how many products have
    stood beside others of a history, at most as many for each as a list keeps: what a list may hold."""

    events: int
    products: int
    people: int
    neighbours: int

    def __str__(self) -> str:
        return (
            f"{self.events:,} events of {self.people:,} accounts and visits with {self.products:,} products "
            f"and {self.neighbours:,} neighbours"
        )


@dataclass(slots=True)
class ReadPart:
    """Some thousand events of a reading; they are an attachment, `sha256` its content. Ids are 0001, 0002, …

    `start` and `end` are cursors of the history: where it was read from, and where the next part begins.
    `first` names the first event that the history has: another one is another history.
    """

    id: str
    start: str | None
    end: str
    first: str
    events: int
    sha256: str
    at: datetime
    format: int = FORMAT
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


def part_id(number: int) -> str:
    return f"{number:08d}"


def fitting(parts: Sequence[ReadPart], first: str, now: datetime) -> list[ReadPart]:
    """Those from the first on that follow each other, are of this history, and not too old."""
    found: list[ReadPart] = []
    for number, part in enumerate(parts, 1):
        follows = part.id == part_id(number) and part.start == (found[-1].end if found else None)
        same = part.format == FORMAT and part.first == first
        if not (follows and same and now - part.at < KEPT_FOR):
            break
        found.append(part)
    return found
