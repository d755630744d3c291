"""Bodies and values that no view may choke on.

@pytest.mark.parametrize("body", bad_input.BODIES, ids=bad_input.name)
def test_a_malformed_body_is_a_bad_request(client, body):
    assert_problem(client.post(URL, body, content_type="application/json"), 400)

for value in bad_input.NOT_TEXT: assert_refused(client, "POST", URL, {**good, "title": value})
"""

from __future__ import annotations

import json
from typing import Any

#: Bodies that are not JSON, or not safely so: 400 everywhere a body is read.
BODIES: list[bytes] = [
    b"{",
    b"nope",
    b'{"a": 1,}',
    b"{'a': 1}",
    b'{"a": NaN}',
    b'{"a": Infinity}',
    b'{"a": 1e999}',
    b'{"a": 1, "a": 2}',
    b'{"a": "\xff\xfe"}',
    '{"a": 1}'.encode("utf-16"),
    b"\xef\xbb\xbf{}",
    b'{"a": "\\ud800"}',
    b'{"a": "\\u0000"}',
    b'{"a": "\x00"}',
    b"[" * 100_000,
    b"[" * 500 + b"]" * 500,
    b'{"a":' * 500 + b"1" + b"}" * 500,
    b'{"a": ' + b"9" * 5000 + b"}",
]

#: Well-formed bodies that are not objects.
NOT_OBJECTS: list[bytes] = [b"null", b"true", b"1", b'"text"', b"[]", b"[1]"]

NOT_TEXT: list[Any] = [None, 1, 1.5, True, [], ["a"], {}, {"$gt": None}]
NOT_INTEGERS: list[Any] = [None, "1", "", 1.5, True, False, [], {}, 10**30, -(10**30)]
NOT_QUANTITIES: list[Any] = [*NOT_INTEGERS, 0, -1, 100, 10**9]
NOT_BOOLEANS: list[Any] = [None, "true", 1, 0, [], {}]

#: Text that is valid JSON and must be stored, refused or found missing, but never break anything.
HOSTILE_TEXT: list[str] = [
    "",
    " ",
    "x" * 100_000,
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "{{7*7}}${7*7}",
    "'; DROP TABLE products; --",
    '{"$gt": null}',
    "../../../etc/passwd",
    "%00",
    "%2e%2e%2f",
    "_design/all",
    "_all_docs",
    "\u202eright to left",
    "\U0001f9e8\u200d\u2764",
    "line\r\nbreak: x",
    "=HYPERLINK(1)",
    "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334" * 20,
]

#: Values of query parameters that mean a page of a list, each to be refused with 400.
BAD_LIMITS: list[str] = ["0", "-1", "101", "1.5", "abc", "", "1e2", "٣", "9" * 30]
BAD_CURSORS: list[str] = ["", "!", "abc", "bnVsbA", "x" * 5000, "W10=W10=", "%00"]

#: Object ids in paths: 404 (or 400), whatever they hold.
BAD_IDS: list[str] = [
    "nope",
    "..",
    "%2e%2e",
    "_design",
    "%00",
    "a%2fb",
    "%ff",
    "x" * 2000,
    "a:b",
    "$where",
    "٣",
]

#: Authorization headers that are no good: 401.
BAD_AUTHORIZATION: list[str] = [
    "Bearer",
    "Bearer ",
    "Bearer x",
    "Bearer a.b.c",
    "Basic dXNlcjpwYXNz",
    "Bearer eyJhbGciOiJub25lIn0.e30.",
    "Bearer " + "x" * 10_000,
    "nonsense",
]


def name(value: Any) -> str:
    """Return a short id for pytest."""
    return (value if isinstance(value, str) else repr(value))[:24]


def assert_problem(response: Any, *statuses: int) -> dict[str, Any]:
    """Return the body of a problem+json response with one of these statuses (default: any 4xx)."""
    status = response.status_code
    expected = statuses or range(400, 500)
    assert status in expected, f"{status} instead of {list(expected)[:5]}: {response.content[:300]!r}"
    assert response["Content-Type"] == "application/problem+json", response["Content-Type"]
    body: dict[str, Any] = json.loads(response.content)
    missing = {"type", "title", "status", "detail", "request_id"} - body.keys()
    assert not missing, f"members missing: {missing}"
    assert body["status"] == status
    return body


def assert_refuses_bad_bodies(client: Any, method: str, url: str, **extra: Any) -> None:
    """Every malformed body, and all that is no object, is a 400 problem; another media type a 415."""
    for body in [*BODIES, *NOT_OBJECTS]:
        assert_problem(client.generic(method, url, body, content_type="application/json", **extra), 400)
    for content_type in ("text/plain", "application/xml", "application/x-www-form-urlencoded"):
        assert_problem(client.generic(method, url, b"a=1", content_type=content_type, **extra), 415)


def assert_refuses_values(
    client: Any, method: str, url: str, good: dict[str, Any], field: str, values: list[Any], **extra: Any
) -> None:
    """Each of the values in that field of an otherwise good body is a 400 that names the field."""
    for value in values:
        body = json.dumps({**good, field: value})
        answer = assert_problem(
            client.generic(method, url, body, content_type="application/json", **extra), 400
        )
        names = {reason.split(".")[0] for reason in answer.get("errors", {})}
        assert field in names, f"{value!r}: {answer}"
