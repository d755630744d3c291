"""Monthly databases of events, so that old events are dropped as one database.

An event belongs to the month in which it arrived. Its id begins with a UUIDv7 of that time, so ids give the
month and sort across all months.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

#: The single database of older installations: only read, and dropped when all its events have expired.
LEGACY = "events"

#: The number of months after the present one that have databases. Fewer than `MIN_MONTHS_AHEAD` raise an
#: alarm. A service that may create databases keeps `MONTHS_AHEAD`, one more, so that the first of a month
#: raises none. For a service that may not, `prepare` creates `MAX_MONTHS_AHEAD`, which last a year.
MIN_MONTHS_AHEAD, MONTHS_AHEAD, MAX_MONTHS_AHEAD = 2, 3, 13


def month_of(time: datetime) -> str:
    """Format the month of a time as "2026-11"."""
    return time.astimezone(UTC).strftime("%Y-%m")


def next_month(month: str) -> str:
    year, number = int(month[:4]), int(month[5:])
    return f"{year + 1:04d}-01" if number == 12 else f"{year:04d}-{number + 1:02d}"


def months_from(month: str, count: int) -> tuple[str, ...]:
    """Return a month and the `count` months after it."""
    found = [month]
    for _ in range(count):
        found.append(next_month(found[-1]))
    return tuple(found)


def end_of_month(month: str) -> datetime:
    """Return the first moment after a month."""
    after = next_month(month)
    return datetime(int(after[:4]), int(after[5:]), 1, tzinfo=UTC)


def time_of_id(id: str) -> datetime | None:
    """Return the creation time of an id that begins with a UUIDv7; None for any other id."""
    if len(id) < 36 or id[8] != "-" or id[14] != "7":
        return None
    try:
        return datetime.fromtimestamp(int(id[:8] + id[9:13], 16) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def month_of_id(id: str) -> str | None:
    made = time_of_id(id)
    return None if made is None else month_of(made)


@dataclass(frozen=True, slots=True)
class Months:
    """The months that have databases, oldest first.

    `legacy` is True while the single database of older installations still exists.
    """

    all: tuple[str, ...] = ()
    legacy: bool = False

    def month_for(self, wanted: str) -> str | None:
        """Return the month whose database holds the events of `wanted`; None if there are no months.

        It is the month itself, else the newest before it, else the oldest.
        """
        before = [month for month in self.all if month <= wanted]
        return before[-1] if before else (self.all[0] if self.all else None)

    def since(self, month: str | None) -> tuple[str, ...]:
        """Return the months that may hold ids of that month or later, oldest first."""
        if month is None:
            return self.all
        first = self.month_for(month)
        # One more: the month's database may have been created after its first events were stored elsewhere.
        place = self.all.index(first) if first in self.all else 0
        return self.all[max(0, place - 1) :]

    def until(self, month: str) -> tuple[str, ...]:
        """Return the months up to that month, oldest first."""
        return tuple(each for each in self.all if each <= month)

    def count_ahead(self, now: str) -> int:
        """Count the months after the present one that have databases, without a gap.

        It is -1 if the present month has none.
        """
        count, month = -1, now
        while month in self.all:
            count, month = count + 1, next_month(month)
        return count

    def active(self, now: str) -> Months:
        """Return the months that may hold events: up to the next one, as clocks differ.

        The month that is written to is always among them. Databases prepared for later months are empty.
        """
        last = max(next_month(now), self.month_for(now) or "")
        return Months(self.until(last), self.legacy)

    def with_(self, month: str) -> Months:
        return Months(tuple(sorted({*self.all, month})), self.legacy)

    def without(self, month: str) -> Months:
        return Months(tuple(each for each in self.all if each != month), self.legacy)

    def expired(self, now: datetime, retention: timedelta) -> tuple[str, ...]:
        """Return the months whose last event is older than `retention`, never the one being written to."""
        active = self.month_for(month_of(now))
        return tuple(month for month in self.all if end_of_month(month) < now - retention and month != active)
