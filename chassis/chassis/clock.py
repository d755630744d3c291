"""The wall clock, in one place: domains take time as an argument."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the time now, aware, in UTC, cut to the milliseconds that documents keep."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
