"""Faults by the field that they are about: flattened from DRF's nested ones, and bounded."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Errors = Mapping[str, Sequence[str]]

MAX_ERRORS = 20  # fields that one answer names, and reasons that it gives for each
_MAX_NAME, _MAX_REASON = 100, 200  # characters


def flatten(detail: Any) -> dict[str, list[str]]:
    """Return DRF's nested reasons by path, at most MAX_ERRORS of them.

    `{"lines.0.sku": ["reason"]}`; what is said of a whole list: `{"lines": ["reason"]}`.
    """
    found: dict[str, list[str]] = {}
    for name, reason in itertools.islice(_reasons(detail, ""), MAX_ERRORS):
        found.setdefault(name, []).append(reason)
    return found


def _reasons(detail: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(detail, dict):
        for key, value in detail.items():
            whole = path and key == "non_field_errors"
            yield from _reasons(value, path if whole else f"{path}.{key}" if path else str(key))
    elif isinstance(detail, list | tuple):
        nested = any(isinstance(item, dict | list) for item in detail)
        for index, item in enumerate(detail):
            if not nested:
                yield path or "non_field_errors", str(item)
            elif item:
                yield from _reasons(item, f"{path}.{index}" if path else str(index))
    else:
        yield path or "non_field_errors", str(detail)


def bounded(errors: Errors) -> dict[str, list[str]]:
    """Return the first of them, shortened: an answer must not grow with what was wrong."""
    return {
        field[:_MAX_NAME]: [reason[:_MAX_REASON] for reason in reasons[:MAX_ERRORS]]
        for field, reasons in itertools.islice(errors.items(), MAX_ERRORS)
    }
