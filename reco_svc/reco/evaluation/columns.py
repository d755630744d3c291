"""Columns of a file as arrays of names, numbers or times; InvalidData says what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np

MAX_TIME = 2.5e11  # seconds since 1970, in the year 9892; later or equally earlier times are invalid
UNITS = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))  # (at least, divisor) of nano-, micro- and milliseconds
NOTHING = ("", "nat", "nan", "null")
AMERICAN = "%m/%d/%Y %H:%M"  # the format of UCI's own CSV of the retail set


class InvalidData(Exception):
    """The file cannot be evaluated; the text is for the person who asked."""


def names(table: Any, name: str) -> np.ndarray:
    """Return a column's values; masked if it has whole numbers and empty places."""
    return _guarded(table, name, _names)


def numbers(table: Any, name: str) -> np.ndarray:
    """Return a column as floats, nan where empty."""
    return _guarded(table, name, _numbers)


def times(table: Any, name: str) -> np.ndarray:
    """Return seconds since 1970, nan where empty or out of range.

    A column has timestamps, ISO 8601 text (without a zone: UTC), or epoch numbers.
    """
    seconds = _guarded(table, name, _times)
    return np.where(np.abs(seconds) <= MAX_TIME, seconds, np.nan)


def codes(values: np.ndarray) -> np.ndarray:
    """Assign numbers to the values in the order of their names, -1 for an empty place."""
    if np.ma.isMaskedArray(values):
        empty, values = np.ma.getmaskarray(values), np.ma.getdata(values)
    elif values.dtype == object:
        empty = np.array([value is None or value != value for value in values.tolist()], dtype=bool)  # noqa: PLR0124 -- nan
        values = np.where(empty, "", values).astype(str)
        empty |= values == ""
    else:
        empty = np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), dtype=bool)
    found = np.full(len(values), -1, dtype=np.int32)
    found[~empty] = np.unique(values[~empty], return_inverse=True)[1]
    return found


def _guarded(table: Any, name: str, how: Callable[[Any], np.ndarray]) -> np.ndarray:
    import pyarrow as pa

    try:
        return how(_plain(table[name].combine_chunks()))
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InvalidData(f"column {name} {reason}") from error


def _plain(column: Any) -> Any:
    """Normalise the column's type: the same values are stored in many ways."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_nested(column.type):
        raise ValueError(f"holds {column.type}, not one value a row")
    return column.cast(pa.large_string()) if str(column.type) in _TEXTS else column


_TEXTS = ("string", "string_view", "binary", "large_binary", "binary_view")


def _names(column: Any) -> np.ndarray:
    import pyarrow as pa
    import pyarrow.compute as pc

    if (
        pa.types.is_integer(column.type) and column.null_count
    ):  # else large integers would be rounded to floats
        filled = pc.fill_null(column, 0).to_numpy(zero_copy_only=False)
        return np.ma.array(filled, mask=pc.is_null(column).to_numpy(zero_copy_only=False))
    return np.asarray(column.to_numpy(zero_copy_only=False))


def _numbers(column: Any) -> np.ndarray:
    try:
        values = np.array([np.nan if v is None else float(v) for v in column.to_pylist()], dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"holds something that is not a number: {error}") from None
    if np.isinf(values).any():
        raise ValueError("holds a number that is not finite")
    return values


def _times(column: Any) -> np.ndarray:
    import pyarrow as pa

    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        moments = column.cast(pa.timestamp("us"), safe=False).to_numpy(zero_copy_only=False)
        seconds = moments.astype("datetime64[us]").astype(np.float64) / 1e6
        return np.where(np.isnat(moments), np.nan, seconds)
    if not pa.types.is_large_string(column.type):
        return _scaled(_numbers(column))
    texts = [None if text is None or text.strip().lower() in NOTHING else text for text in column.to_pylist()]
    try:
        return _scaled(np.array([np.nan if text is None else float(text) for text in texts]))
    except ValueError:
        return np.fromiter(map(_moment, texts), dtype=np.float64, count=len(texts))


def _moment(text: str | None) -> float:
    if text is None:
        return float("nan")
    for read in (datetime.fromisoformat, lambda said: datetime.strptime(said, AMERICAN)):  # noqa: DTZ007
        try:
            moment = read(text.strip())
        except ValueError:
            continue
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    raise ValueError(f"holds {text!r}, neither ISO 8601 nor a number of seconds since 1970")


def _scaled(values: np.ndarray) -> np.ndarray:
    """Convert seconds, milli-, micro- or nanoseconds to seconds, by the median value."""
    finite = np.abs(values[np.isfinite(values)])
    usual = float(np.median(finite)) if len(finite) else 0.0
    return values / next((divisor for least, divisor in UNITS if usual >= least), 1.0)
