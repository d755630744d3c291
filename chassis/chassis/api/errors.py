"""Errors as RFC 9457 problem+json, whoever raises them.

Raise a ready one (`Conflict("out-of-stock", "…", short=[…])`) from a view or a use case; what the store, DRF
and Django raise is mapped here. Clients branch on `type`, a slug.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.core import exceptions as django_errors
from django.http import Http404
from rest_framework import exceptions as drf
from rest_framework.response import Response

from chassis.api.field_errors import Errors, bounded, flatten
from chassis.observability import context

if TYPE_CHECKING:
    from chassis.clients import ServiceUnavailable

_log = logging.getLogger("chassis.api")

CONTENT_TYPE = "application/problem+json"

# The `type` of an answer whose status says it all.
GENERIC = {
    400: "bad-request",
    401: "not-authenticated",
    402: "payment-refused",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    409: "conflict",
    412: "precondition-failed",
    413: "too-large",
    414: "uri-too-long",
    415: "unsupported-media-type",
    422: "unprocessable",
    428: "precondition-required",
    429: "too-many-requests",
    500: "internal-error",
    502: "bad-gateway",
    503: "unavailable",
    504: "timeout",
}


class Problem(drf.APIException):
    """Any problem: status, type (a slug), what to tell people, and members of its own.

    `retry_after` is in seconds and becomes the header; `members` go into the body beside the standard ones.
    """

    def __init__(
        self,
        status: int,
        type: str | None = None,
        detail: str = "",
        *,
        title: str | None = None,
        errors: Errors | None = None,
        retry_after: float | None = None,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        self.status_code = status
        self.type = type or GENERIC.get(status, "error")
        self.title = title or phrase(status)
        self.detail = detail or self.title  # type: ignore[assignment]  # DRF's own is a class-level default
        self.errors = bounded(errors) if errors else None
        self.retry_after = retry_after
        self.headers = dict(headers or {})
        self.members = members

    def __str__(self) -> str:
        return f"{self.status_code} {self.type}: {self.detail}"

    def body(self) -> dict[str, Any]:
        """Return the members of the answer."""
        body: dict[str, Any] = {
            "type": self.type,
            "title": self.title,
            "status": self.status_code,
            "detail": str(self.detail),
            "request_id": context.request_id(),
        }
        if self.errors is not None:
            body["errors"] = self.errors
        return {**self.members, **body}

    def response_headers(self) -> dict[str, str]:
        headers = dict(self.headers)
        if self.retry_after is not None:
            headers["Retry-After"] = str(max(1, math.ceil(self.retry_after)))
        return headers


class BadRequest(Problem):
    """400: unparsable, missing, unknown, mistyped or out of range. BadRequest(errors={"limit": ["…"]})."""

    def __init__(
        self, detail: str = "", *, errors: Errors | None = None, type: str | None = None, **members: Any
    ):
        super().__init__(400, type or ("invalid" if errors else None), detail, errors=errors, **members)


class _Fixed(Problem):
    """A problem whose status is its name: NotFound(), Conflict("out-of-stock", "…", short=[…])."""

    status = 500

    def __init__(self, type: str | None = None, detail: str = "", **members: Any) -> None:
        super().__init__(self.status, type, detail, **members)


class NotAuthenticated(_Fixed):
    """401: with the challenge that RFC 9110 wants."""

    status = 401

    def __init__(self, type: str | None = None, detail: str = "", **members: Any) -> None:
        super().__init__(type, detail, headers={"WWW-Authenticate": 'Bearer realm="hivemart"'}, **members)


class PaymentRequired(_Fixed):
    status = 402


class Forbidden(_Fixed):
    status = 403


class NotFound(_Fixed):
    """404: not there, or somebody else's."""

    status = 404


class Conflict(_Fixed):
    status = 409


class PreconditionFailed(_Fixed):
    status = 412


class TooLarge(_Fixed):
    status = 413


class UnsupportedMediaType(_Fixed):
    status = 415


class Unprocessable(_Fixed):
    """422: well-formed, but a rule says no."""

    status = 422


class PreconditionRequired(_Fixed):
    status = 428


class TooManyRequests(_Fixed):
    """429: Retry-After in seconds."""

    status = 429

    def __init__(
        self,
        retry_after: float,
        detail: str = "Too many requests.",
        *,
        type: str | None = None,
        **members: Any,
    ) -> None:
        super().__init__(type, detail, retry_after=retry_after, **members)


class Unavailable(_Fixed):
    """503: something that we need is away; Retry-After in seconds."""

    status = 503

    def __init__(
        self, type: str | None = None, detail: str = "", *, retry_after: float = 5, **members: Any
    ) -> None:
        super().__init__(type, detail, retry_after=retry_after, **members)


def phrase(status: int) -> str:
    """Return the standard phrase of a status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def exception_handler(error: Exception, context_: Mapping[str, Any] | None = None) -> Response | None:
    """DRF's EXCEPTION_HANDLER: the answer for an error, None for one that nobody foresaw (a 500, logged)."""
    problem = problem_for(error)
    if problem is None:
        return None
    if problem.status_code >= 500:
        _log.warning("%s", problem, exc_info=error)
    return Response(
        problem.body(),
        status=problem.status_code,
        headers=problem.response_headers(),
        content_type=CONTENT_TYPE,
    )


def problem_for(error: Exception) -> Problem | None:
    """Return what to tell the caller about this error, None for one that we do not know."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, drf.APIException):
        return _from_drf(error)
    return _from_store(error) or _from_django(error)


def _from_drf(error: drf.APIException) -> Problem:
    if isinstance(error, drf.ValidationError):
        return BadRequest("Some fields are not valid.", errors=flatten(error.detail))
    status = error.status_code
    headers = {}
    retry_after = None
    kind = None
    if isinstance(error, drf.AuthenticationFailed | drf.NotAuthenticated):
        status = 401
        headers = {"WWW-Authenticate": getattr(error, "auth_header", None) or 'Bearer realm="hivemart"'}
        kind = "bad-token" if isinstance(error, drf.AuthenticationFailed) else None
    elif isinstance(error, drf.ParseError):
        kind = "malformed"
    elif isinstance(error, drf.Throttled):
        retry_after = getattr(error, "wait", None) or 1
    return Problem(status, kind, _text(error.detail), headers=headers, retry_after=retry_after)


def _text(detail: Any) -> str:
    if isinstance(detail, list | tuple):
        return " ".join(_text(item) for item in detail)
    if isinstance(detail, dict):
        return " ".join(f"{key}: {_text(item)}" for key, item in detail.items())
    return str(detail)


def _from_store(error: Exception) -> Problem | None:
    """Map the errors of the store and of service clients."""
    from chassis import clients, couch

    if isinstance(error, couch.NotFound):
        return NotFound(detail="There is no such thing here.")
    if isinstance(error, couch.Conflict):
        return Conflict(detail="Somebody else changed or made this first.")
    if isinstance(error, couch.BadCursor):
        return BadRequest(errors={"cursor": ["Must be the `next` of an earlier page."]})
    if isinstance(error, couch.Busy):
        return TooManyRequests(1, "Too many are changing this at once.", type="busy")
    if isinstance(error, couch.Unavailable):
        return Unavailable(detail="The service's store does not answer just now.")
    if isinstance(error, clients.ServiceUnavailable):
        return _from_client(error)
    return None


def _from_client(error: ServiceUnavailable) -> Problem:
    """Return another service's limit as the caller's own, with that service's time to wait."""
    from chassis import clients

    if isinstance(error, clients.Throttled):
        return TooManyRequests(error.retry_after or 1)
    return Unavailable(
        detail="A part of the shop does not answer just now.", retry_after=error.retry_after or 5
    )


def _from_django(error: Exception) -> Problem | None:
    if isinstance(error, Http404):
        return NotFound()
    if isinstance(error, django_errors.PermissionDenied):
        return Forbidden()
    if isinstance(error, django_errors.RequestDataTooBig):
        return TooLarge()
    if isinstance(error, django_errors.SuspiciousOperation | django_errors.BadRequest):
        return BadRequest()
    return None
