"""Bodies and queries that keep to every limit and were made to cost as much as possible."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MAX_BYTES = (1 << 19) - 512  # a service reads 512 KiB of a body
MAX_QUERY = 7_600  # bytes; the gateway's buffer for a request line is 8 kB
_DEPTH = 22


def bodies(fields: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Yield (name, body) for an operation whose body has these `properties` in its OpenAPI schema."""
    yield "95,000 unknown names", _object(f"n{n}" for n in range(95_000))
    yield "4,900 unknown names", _object(f"n{n}" for n in range(4_900))
    yield "4,900 unknown names of 200 letters", _object(f"{n:04d}{'é' * 98}" for n in range(4_900))
    yield "a list of 4,900 numbers", json.dumps([1] * 4_900).encode()
    yield "4,900 numbers in each field", _in_each(fields, [1] * (4_900 // max(1, len(fields))))
    yield "100 objects of 40 unknown names in each list", _in_lists(fields, 100, 40)
    yield "100 wrong objects in each list", _in_each(fields, [{"sku": [], "quantity": "x"}] * 100)
    yield "half a MB of letters in each field", _text_in_each(fields, "a")
    yield "half a MB of letters that UTF-8 makes long", _text_in_each(fields, "日")
    yield "half a MB of spaces in each field", _text_in_each(fields, " ")
    yield "half a MB of @ in each field", _text_in_each(fields, "@.")
    yield "half a MB of escapes", b'{"a":"' + b"\\u0430" * ((MAX_BYTES - 10) // 6) + b'"}'
    yield "half a MB of quotes that are escaped", b'{"a":"' + b'\\",[{' * ((MAX_BYTES - 10) // 5) + b'"}'
    yield "half a MB of backslashes without an end", b'{"a":"' + b"\\" * (MAX_BYTES - 10)
    yield "half a MB of brackets", b"[" * MAX_BYTES
    yield "numbers of 4,000 digits", b"[" + b",".join([b"9" * 4_000] * 130) + b"]"
    yield "a fraction of a megabyte", b'{"a":0.' + b"1" * (MAX_BYTES - 10) + b"}"
    yield "lists within lists", b"[" * _DEPTH + b"[]," * 1_500 + b"[]" + b"]" * _DEPTH
    yield "events of many fields", json.dumps([{"type": "view", "data": _names(45)}] * 100).encode()


def queries() -> Iterator[tuple[str, str]]:
    """Yield (name, query string)."""
    yield "1,000 unknown parameters", "&".join(f"x{n}=1" for n in range(1_000))[:MAX_QUERY]
    yield "a parameter repeated", "&".join(["limit=1"] * (MAX_QUERY // 8))
    yield "a long value", "q=" + "a" * (MAX_QUERY - 2)
    yield "escapes", "q=" + "%E6%97%A5" * (MAX_QUERY // 9 - 1)


def forms() -> Iterator[tuple[str, bytes]]:
    """Yield (name, body) for pages that take forms."""
    yield "900 fields", "&".join(f"n{n}=1" for n in range(900)).encode()
    yield "5,000 fields", "&".join(f"n{n}=1" for n in range(5_000)).encode()
    yield "a long value in each field", "&".join(f"{name}={'a' * 20_000}" for name in _FORM).encode()
    yield "more than a page takes", b"email=" + b"a" * 900_000


_FORM = ("email", "password", "name", "next", "sku", "code")


def _object(names: Iterator[str]) -> bytes:
    return json.dumps(dict.fromkeys(names, 1), separators=(",", ":"), ensure_ascii=False).encode()


def _names(count: int) -> dict[str, int]:
    return {f"n{n}": n for n in range(count)}


def _in_each(fields: Mapping[str, Any], value: Sequence[Any]) -> bytes:
    return json.dumps(dict.fromkeys(fields or ("a",), value), separators=(",", ":")).encode()[:MAX_BYTES]


def _in_lists(fields: Mapping[str, Any], objects: int, names: int) -> bytes:
    lists = [name for name, shape in fields.items() if shape.get("type") == "array"] or ["lines"]
    return json.dumps({name: [_names(names)] * objects for name in lists[:1]}).encode()


def _text_in_each(fields: Mapping[str, Any], letter: str) -> bytes:
    names = list(fields) or ["a"]
    room = (MAX_BYTES - 100 - sum(len(name) + 8 for name in names)) // len(names)
    text = letter * (room // len(letter.encode()))
    return json.dumps(dict.fromkeys(names, text), ensure_ascii=False).encode()
