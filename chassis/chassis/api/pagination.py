"""Lists: `?limit=` and an opaque `?cursor=` made of sort values and id, never an offset."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from rest_framework.request import Request

from chassis.api.errors import BadRequest

DEFAULT = 24
MOST = 100
_LONGEST = 1024  # characters of a cursor


class PageParams(NamedTuple):
    """What the caller asks for: how many, and from where (None: from the start)."""

    limit: int
    cursor: str | None


def page_params(request: Request, *, default: int = DEFAULT, most: int = MOST) -> PageParams:
    """`limit` of 1 to `most` and `cursor` from the query; BadRequest (400) otherwise."""
    limit = _limit(request.query_params.get("limit"), default, most)
    cursor = request.query_params.get("cursor")
    if cursor is not None and (not cursor or len(cursor) > _LONGEST or not cursor.isascii()):
        raise bad_cursor()
    return PageParams(limit, cursor)


def page_only(request: Request) -> PageParams:
    """Return the page asked for of a list that takes no other parameters; BadRequest for any other name."""
    query = request.query_params
    wrong = {
        name[:100]: ["Unknown parameter." if name not in ("limit", "cursor") else "Only once, please."]
        for name, values in query.lists()
        if name not in ("limit", "cursor") or len(values) > 1
    }
    if wrong:
        raise BadRequest("Some parameters are not valid.", errors=wrong)
    return page_params(request)


def _limit(text: str | None, default: int, most: int) -> int:
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= most):
        raise BadRequest(
            "The page size is out of range.", errors={"limit": [f"Must be a whole number from 1 to {most}."]}
        )
    return int(text)


def bad_cursor() -> BadRequest:
    return BadRequest(
        "The cursor is not one of ours.", errors={"cursor": ["Must be a `next` of an earlier page."]}
    )


def encode_cursor(*values: Any) -> str:
    """Return an opaque cursor of JSON values."""
    text = json.dumps(values, separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None, *types: type | tuple[type, ...]) -> list[Any] | None:
    """Return the values again, None for no cursor.

    With `types`, their number and types must fit. Raises BadRequest (400) otherwise.
    """
    if cursor is None:
        return None
    try:
        raw = base64.b64decode(
            cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True
        )
        values = json.loads(raw.decode())
    except (binascii.Error, ValueError, RecursionError) as error:
        raise bad_cursor() from error
    if not isinstance(values, list) or (types and not _fit(values, types)):
        raise bad_cursor()
    return values


def _fit(values: Sequence[Any], types: Sequence[type | tuple[type, ...]]) -> bool:
    return len(values) == len(types) and all(
        isinstance(value, kind) and not (isinstance(value, bool) and kind is int)
        for value, kind in zip(values, types, strict=True)
    )


def page(results: Iterable[Any], next: str | None, **more: Any) -> dict[str, Any]:
    """Return the answer of a list."""
    return {"results": list(results), "next": next, **more}
