"""The stored parts of a history that a training has read, so that an interrupted one can continue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

FORMAT = 1
MAX_AGE = timedelta(days=1)  # erased people's events must not be stored for longer


@dataclass(frozen=True, slots=True)
class Amount:
    """The size of a training's input.

    `people` counts accounts and sessions. `neighbours` counts the products that appear beside others in a
    history, at most as many for each as a list keeps.
    """

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
class HistoryPart:
    """Some thousand events of a history in an attachment, whose hash is `sha256`.

    Ids are 00000001, 00000002, … `start` and `end` are cursors of the history: the start of this part, and
    that of the next. `first` names the first event of the history: another one means another history.
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


def usable_parts(parts: Sequence[HistoryPart], first: str, now: datetime) -> list[HistoryPart]:
    """Return the leading parts that are consecutive, of this history, and not too old."""
    found: list[HistoryPart] = []
    for number, part in enumerate(parts, 1):
        follows = part.id == part_id(number) and part.start == (found[-1].end if found else None)
        same = part.format == FORMAT and part.first == first
        if not (follows and same and now - part.at < MAX_AGE):
            break
        found.append(part)
    return found
