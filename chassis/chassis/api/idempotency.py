"""Idempotency-Key: reading it, and telling one body from another."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from rest_framework.request import Request

from chassis.api.errors import BadRequest

_KEY = re.compile(r"[\x21-\x7e]{1,255}\Z")


def idempotency_key(request: Request, required: bool = False) -> str | None:
    """Return the header's 1 to 255 visible ASCII characters.

    Raises BadRequest (400) if it is bad, or missing where it is required.
    """
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is None and not required:
        return None
    if key is None or not _KEY.match(key):
        reason = "Needed here: 1 to 255 visible ASCII characters."
        raise BadRequest("The Idempotency-Key is missing or not valid.", errors={"Idempotency-Key": [reason]})
    return str(key)


def fingerprint(body: Any) -> str:
    """SHA-256 (hex) of the body's canonical JSON: the order of names does not matter, all else does."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def scoped(scope: str, key: str) -> str:
    """Return an id for the pair, safe in document ids and paths (64 hex digits)."""
    return hashlib.sha256(f"{scope}\x00{key}".encode()).hexdigest()
