"""Which database an event is in: one a month, so that what is old goes away in one piece.

An event lies in the month in which it arrived. Its id begins with a UUIDv7 of that moment: ids tell the
month, and sort over all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

#: The one database of installations before the months; only read, and dropped when all in it is old.
LEGACY = "events"

#: How many months after the present one have databases. Fewer than `LEAST` are an alarm; a service that may
#: make them keeps `AHEAD`, one more, so that the first of a month is none; for one that may not `prepare`
#: makes `YEAR`, so that it can go on for a year without anybody.
LEAST, AHEAD, YEAR = 2, 3, 13


def month_of(moment: datetime) -> str:
    """As "2026-11"."""
    return moment.astimezone(UTC).strftime("%Y-%m")


def next_month(month: str) -> str:
    year, number = int(month[:4]), int(month[5:])
    return f"{year + 1:04d}-01" if number == 12 else f"{year:04d}-{number + 1:02d}"


def following(month: str, count: int) -> tuple[str, ...]:
    """This month and so many more."""
    found = [month]
    for _ in range(count):
        found.append(next_month(found[-1]))
    return tuple(found)


def end_of(month: str) -> datetime:
    """The first moment after it."""
    after = next_month(month)
    return datetime(int(after[:4]), int(after[5:]), 1, tzinfo=UTC)


def moment_of_id(id: str) -> datetime | None:
    """When an id was made that begins with a UUIDv7; None for any other id."""
    if len(id) < 36 or id[8] != "-" or id[14] != "7":
        return None
    try:
        return datetime.fromtimestamp(int(id[:8] + id[9:13], 16) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def month_of_id(id: str) -> str | None:
    made = moment_of_id(id)
    return None if made is None else month_of(made)


@dataclass(frozen=True, slots=True)
class Months:
    """The months that have databases, oldest first; `legacy` when the one of before is still there."""

    all: tuple[str, ...] = ()
    legacy: bool = False

    def place(self, wanted: str) -> str | None:
        """Where what belongs to that month goes: its own database, else the newest before it, else the
        oldest. None when there is none at all.
        """
        before = [month for month in self.all if month <= wanted]
        return before[-1] if before else (self.all[0] if self.all else None)

    def since(self, month: str | None) -> tuple[str, ...]:
        """Those that may hold ids of that month or later, oldest first."""
        if month is None:
            return self.all
        first = self.place(month)
        # One more: the month's database may have been made after its first events found another place.
        place = self.all.index(first) if first in self.all else 0
        return self.all[max(0, place - 1) :]

    def until(self, month: str) -> tuple[str, ...]:
        """Those up to that month, oldest first."""
        return tuple(each for each in self.all if each <= month)

    def left(self, now: str) -> int:
        """How many months after the present one have databases, without a gap; -1 when this one has none."""
        count, month = -1, now
        while month in self.all:
            count, month = count + 1, next_month(month)
        return count

    def written(self, now: str) -> Months:
        """Those in which something may be: up to the next one, for clocks differ, and the one that is written
        to. What is prepared for later is empty.
        """
        last = max(next_month(now), self.place(now) or "")
        return Months(self.until(last), self.legacy)

    def with_(self, month: str) -> Months:
        return Months(tuple(sorted({*self.all, month})), self.legacy)

    def without(self, month: str) -> Months:
        return Months(tuple(each for each in self.all if each != month), self.legacy)

    def old(self, now: datetime, kept: timedelta) -> tuple[str, ...]:
        """Those whose last event is older than `kept`; never the one that is written to."""
        written = self.place(month_of(now))
        return tuple(month for month in self.all if end_of(month) < now - kept and month != written)
