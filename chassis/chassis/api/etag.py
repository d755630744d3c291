"""ETag, If-None-Match and If-Match (RFC 9110, section 13)."""

from __future__ import annotations

import hashlib
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from chassis.api.errors import PreconditionFailed, PreconditionRequired


def etag_of(value: int | str | bytes) -> str:
    """Return a quoted tag: of an aggregate its `version`, of text or bytes their digest."""
    if isinstance(value, int):
        return f'"{value}"'
    raw = value.encode() if isinstance(value, str) else value
    return f'"{hashlib.blake2b(raw, digest_size=12).hexdigest()}"'


def _tags(header: str) -> set[str]:
    """Return the tags of a header; weak ones count too, for the gateway weakens a tag when it compresses."""
    return {tag.strip().removeprefix("W/") for tag in header.split(",")}


def not_modified(request: Request, etag: str) -> Response | None:
    """304 if the caller has this already, else None."""
    header = request.META.get("HTTP_IF_NONE_MATCH")
    if header is None or not ({etag, "*"} & _tags(header)):
        return None
    return Response(status=304, headers={"ETag": etag})


def tagged(request: Request, data: Any, value: int | str | bytes, status: int = 200) -> Response:
    """Return the answer with its ETag, or 304."""
    etag = etag_of(value)
    return not_modified(request, etag) or Response(data, status=status, headers={"ETag": etag})


def require_match(request: Request, version: int | str | bytes, required: bool = True) -> None:
    """428 without If-Match (where required), 412 if it names another version."""
    header = request.META.get("HTTP_IF_MATCH")
    if header is None:
        if required:
            raise PreconditionRequired(detail="If-Match with the ETag of what is changed is needed here.")
        return
    if not ({etag_of(version), "*"} & _tags(header)):
        raise PreconditionFailed(detail="It was changed since; read it again.", current=etag_of(version))
