"""JSON in and out, strictly in (RFC 8259, I-JSON) and quickly out."""

from __future__ import annotations

import datetime
import decimal
import json
import math
import re
from collections.abc import Mapping
from typing import IO, Any
from uuid import UUID

from django.http import UnreadablePostError
from django.utils.functional import Promise
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from chassis.api import errors

MAX_DEPTH = 24  # levels; no body of ours has more than six
MAX_BODY = 1 << 19  # bytes, where a view names no `max_body`; the largest product takes about 200 kB
MAX_VALUES = 5_000  # where a view names no `max_values`; 100 variants with all that they may say are 2,600


def loads(body: bytes, *, max_values: int = MAX_VALUES) -> Any:
    """Return the value of a JSON body.

    Raises ParseError (400) for anything that two readers could understand differently, and for more than
    `max_values` values, which are counted before anything is built of them.
    """
    if _holds_more(body, max_values):
        raise ParseError(f"The body holds more than {max_values} values.")
    try:
        text = body.decode("utf-8")
        value = _DECODER.decode(text)
    except UnicodeDecodeError as error:
        raise ParseError("The body is not UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise ParseError(f"The body is not JSON: {error}"[:200]) from error
    if not _harmless(body):
        _inspect(value)
    return value


def _holds_more(body: bytes, max_values: int) -> bool:
    """Return True if the body holds more values than that, at any depth; a name counts with its value.

    A value is the first of its list or object, or stands behind a comma, so these are counted. Commas and
    brackets within texts are left out only where that can change the answer.
    """
    return _separators(body) > max_values and _separators(_TEXT.sub(b"", body)) > max_values


def _separators(body: bytes) -> int:
    return body.count(b",") + body.count(b"[") + body.count(b"{")


_TEXT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)


def _harmless(body: bytes) -> bool:
    """Return True if the bytes show that the body is not too deep and holds only text that can be stored.

    Text that is not escaped can be stored. Most bodies are so, and looking at each value takes as long as
    parsing.
    """
    if b"\\u" in body:
        return False
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return True
    if b"\\" in body:
        return False
    brackets = body.translate(None, _NO_BRACKETS).replace(b'""', b"")
    if b'"' in brackets:
        return False  # of a text
    for _ in range(MAX_DEPTH // 2 - 1):  # each turn takes one or two levels away
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
        if not brackets:
            return True
    return False


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is out of range")
    return number


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is there twice")
    return found


_NO_BRACKETS = bytes(set(range(256)) - set(b'"[]{}'))
_SURROGATE = re.compile("[\ud800-\udfff]")
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_once)


def _inspect(value: Any) -> None:
    """Refuse what is too deep, and text that cannot be stored: half a surrogate pair, or NUL."""
    waiting = [(value, 1)]
    while waiting:
        item, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise ParseError("The body is nested too deeply.")
        if isinstance(item, str):
            _storable(item)
        elif isinstance(item, dict):
            waiting.extend((key, depth) for key in item)
            waiting.extend((inner, depth + 1) for inner in item.values())
        elif isinstance(item, list):
            waiting.extend((inner, depth + 1) for inner in item)


def _storable(text: str) -> None:
    if "\x00" in text or not (text.isascii() or _SURROGATE.search(text) is None):
        raise ParseError("Text holds NUL or half a surrogate pair.")


class JSONParser(BaseParser):
    """Parses application/json; 400 for what is not or holds too many values, 413 for what is too long."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        view = (parser_context or {}).get("view")
        limit = getattr(view, "max_body", MAX_BODY)
        try:
            body = stream.read(limit + 1)
        except UnreadablePostError as error:
            raise ParseError("The body ended too early.") from error
        if len(body) > limit:
            raise errors.TooLarge(detail=f"A body has at most {limit} bytes.")
        return loads(body, max_values=getattr(view, "max_values", MAX_VALUES))


def _plain(value: Any) -> Any:
    """Return a JSON value for what json does not know by itself."""
    if isinstance(value, datetime.datetime):
        return rfc3339(value)
    if isinstance(value, datetime.date | UUID | decimal.Decimal | Promise):
        return str(value)
    if isinstance(value, set | frozenset | tuple):
        return sorted(value) if not isinstance(value, tuple) else list(value)
    if hasattr(value, "__getitem__") and hasattr(value, "keys"):
        return dict(value)
    if hasattr(value, "__iter__"):
        return list(value)
    raise TypeError(f"{type(value).__name__} does not go into JSON")


def rfc3339(moment: datetime.datetime) -> str:
    """UTC with milliseconds and Z, as everywhere in the suite."""
    utc = moment.astimezone(datetime.UTC)
    return utc.strftime("%Y-%m-%dT%H:%M:%S.") + f"{utc.microsecond // 1000:03d}Z"


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_plain)


def dumps(value: Any) -> bytes:
    """Compact UTF-8."""
    return _ENCODER.encode(value).encode("utf-8", "replace")


class JSONRenderer(BaseRenderer):
    """Renders with the encoder above; bytes are JSON already (the index keeps cards so) and go out as is."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "text"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        if data is None:
            return b""
        if isinstance(data, bytes):
            return data
        return dumps(data)
