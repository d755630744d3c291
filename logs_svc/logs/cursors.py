"""Opaque cursors made of texts; an invalid one raises `chassis.couch.BadCursor`."""

from __future__ import annotations

import base64
import binascii
import json

from chassis.couch import BadCursor


def encode(*texts: str) -> str:
    raw = json.dumps(texts, separators=(",", ":"), ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decode(cursor: str) -> list[str]:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        texts = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True).decode())
    except (binascii.Error, ValueError, RecursionError) as error:
        raise BadCursor(cursor[:60]) from error
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise BadCursor(cursor[:60])
    return texts
