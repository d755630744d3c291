"""The id of the request that is being answered, for logs, errors and calls to services."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
_ACCEPTABLE = re.compile(r"[A-Za-z0-9-]{1,64}\Z")


def request_id() -> str:
    """Return the current request's id, or "" outside of one."""
    return _REQUEST_ID.get()


def accept(candidate: str | None) -> str:
    """Return the candidate if it is 1 to 64 letters, digits and dashes, else a new request id."""
    if candidate and _ACCEPTABLE.match(candidate):
        return candidate
    return uuid.uuid4().hex


@contextmanager
def use(value: str) -> Iterator[str]:
    """Set the current request id for the length of the block (also for jobs and relays)."""
    token = _REQUEST_ID.set(value)
    try:
        yield value
    finally:
        _REQUEST_ID.reset(token)
