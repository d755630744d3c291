"""CouchDB's order of JSON values, and its built-in reducers, for the in-memory twin.

Source: https://docs.couchdb.org/en/stable/ddocs/views/collation.html. Strings are ordered by code point
here and by ICU there: the two differ in letter case and punctuation, so no code may rely on that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def sort_key(value: Any) -> tuple[Any, ...]:
    """Return a key by which Python sorts JSON values as CouchDB does.

    The order is null, booleans, numbers, strings, lists, objects.
    """
    if value is None:
        return (0,)
    if isinstance(value, bool):
        return (1, value)
    if isinstance(value, (int, float)):
        return (2, value)
    if isinstance(value, str):
        return (3, value)
    if isinstance(value, (list, tuple)):
        return (4, [sort_key(item) for item in value])
    return (5, [(key, sort_key(item)) for key, item in value.items()])


def reduce_values(reduce: str, values: Sequence[Any]) -> Any:
    """`_count`, `_sum` (numbers, or lists of numbers) or `_stats` over the values of a view's rows."""
    if reduce == "_count":
        return len(values)
    if reduce == "_sum":
        return _sum(values)
    if reduce == "_stats":
        return {
            "sum": sum(values),
            "count": len(values),
            "min": min(values),
            "max": max(values),
            "sumsqr": sum(value * value for value in values),
        }
    raise ValueError(f"{reduce} is not a reducer that works the same everywhere")


def _sum(values: Sequence[Any]) -> Any:
    if not any(isinstance(value, list) for value in values):
        return sum(values)
    columns: list[Any] = []
    for value in values:
        for place, number in enumerate(value if isinstance(value, list) else [value]):
            if place == len(columns):
                columns.append(0)
            columns[place] += number
    return columns
