from __future__ import annotations

import datetime
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rest_framework.exceptions import ParseError

from chassis.api.idempotency import fingerprint
from chassis.api.json import dumps, loads
from chassis.testing import bad_input


@pytest.mark.parametrize("body", bad_input.BODIES[:-1], ids=bad_input.name)
def test_what_two_readers_could_understand_differently_is_refused(body: bytes) -> None:
    with pytest.raises(ParseError):
        loads(body)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": [1, 2.5, true, null, "x"]}', {"a": [1, 2.5, True, None, "x"]}),
        (b'"\\ud83e\\udde8"', "\U0001f9e8"),
        (b'"\\\\u0000"', "\\u0000"),
        (b"[" * 24 + b"]" * 24, None),
    ],
)
def test_what_is_plain_json_is_read(body: bytes, value: object) -> None:
    read = loads(body)

    assert value is None or read == value


TEXT = st.text(alphabet='[]{}"\\\\ab\u00e9', max_size=6)
NESTED = st.recursive(
    st.none() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=40,
)


@settings(max_examples=300)
@given(NESTED, st.integers(0, 30), st.booleans())
def test_what_is_too_deep_is_refused_and_nothing_else_whatever_its_texts_hold(
    value: object, more: int, lists: bool
) -> None:
    for _ in range(more):
        value = [value, "]", "["] if lists else {"a": value, "}": "{"}
    value = [value, *([[]] * 30)]

    if depth(value) <= 24:
        assert loads(json.dumps(value, ensure_ascii=False).encode()) == value
    else:
        with pytest.raises(ParseError, match="nested too deeply"):
            loads(json.dumps(value, ensure_ascii=False).encode())


def depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 1


def count(value: object) -> int:
    """How many values there are below this one, by walking through them."""
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return len(inner) + sum(map(count, inner))


@settings(max_examples=300, deadline=None)
@given(NESTED, st.integers(0, 30))
def test_a_body_with_too_many_values_is_refused_and_no_other_whatever_its_texts_hold(
    value: object, limit: int
) -> None:
    value = [value, "[[[[,,,,", '",{']
    body = json.dumps(value, ensure_ascii=False).encode()
    empty = body.count(b"[]") + body.count(b"{}")

    # An opening bracket stands for the first value within, so an empty list or object counts as two.
    if count(value) + empty <= limit:
        assert loads(body, max_values=limit) == value
    elif count(value) > limit:
        with pytest.raises(ParseError, match=f"more than {limit} values"):
            loads(body, max_values=limit)


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(dict.fromkeys(map(str, range(95_000)), 1)).encode(),
        json.dumps([1] * 5_002).encode(),
        json.dumps({"lines": [{"a": [1] * 10}] * 500}).encode(),
    ],
    ids=["names", "numbers", "nested"],
)
def test_too_many_values_are_refused_at_any_depth(body: bytes) -> None:
    with pytest.raises(ParseError, match="more than 5000 values"):
        loads(body)


def test_time_goes_out_in_utc_with_milliseconds() -> None:
    brussels = datetime.timezone(datetime.timedelta(hours=1))
    moment = datetime.datetime(2026, 1, 2, 3, 4, 5, 678_900, tzinfo=brussels)

    assert dumps({"at": moment, "name": "é"}) == '{"at":"2026-01-02T02:04:05.678Z","name":"é"}'.encode()


def test_what_is_no_json_does_not_go_out() -> None:
    with pytest.raises(TypeError):
        dumps(object())
    with pytest.raises(ValueError, match="JSON"):
        dumps(float("nan"))


def test_a_fingerprint_looks_at_content_and_not_at_order() -> None:
    assert fingerprint({"a": 1, "b": [1, 2]}) == fingerprint({"b": [1, 2], "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": "1"})
    assert fingerprint([1, 2]) != fingerprint([2, 1])
