"""Helpers shared by the views of the catalogue."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from catalog.domain import ReservationReleased, RuleViolation, UnknownReservation
from catalog.readmodel.reader import IndexMissing
from catalog.services.events import Actor
from catalog.services.images import ImageTooLarge, UnsupportedImage
from catalog.services.stock import OutOfStock, UnknownSku
from chassis.api import errors
from chassis.api.etag import not_modified
from chassis.api.views import View
from chassis.identity.principal import principal_of

#: Violations that conflict with existing documents (409); all others concern the request (422).
_CONFLICTS = frozenset(
    {"slug-taken", "sku-taken", "category-in-use", "stock-reserved", "product-deleted", "review-exists"}
)


class CatalogView(View):
    """View that renders domain errors as problems."""

    def handle_exception(self, exc: Exception) -> Response:
        return super().handle_exception(problem_of(exc) or exc)


def problem_of(error: Exception) -> errors.Problem | None:
    """Return the problem for one of our own errors; None for any other."""
    make = _PROBLEMS.get(type(error))
    return make(error) if make else None


def _rule(error: Any) -> errors.Problem:
    return errors.Problem(409 if error.type in _CONFLICTS else 422, error.type, error.detail)


_PROBLEMS: dict[type[Exception], Callable[[Any], errors.Problem]] = {
    RuleViolation: _rule,
    IndexMissing: lambda e: errors.Unavailable(
        "index-building", "The catalogue is being put together.", retry_after=1
    ),
    OutOfStock: lambda e: errors.Conflict("out-of-stock", "Not enough is left.", short=e.short),
    UnknownSku: lambda e: errors.Unprocessable("unknown-sku", f"Not sold here: {e}.", skus=e.skus),
    ReservationReleased: lambda e: errors.Conflict(
        "reservation-released", "This order's reservation was released."
    ),
    UnknownReservation: lambda e: errors.Conflict("reservation-unknown", "This order has no reservation."),
    UnsupportedImage: lambda e: errors.UnsupportedMediaType(
        "unsupported-picture", "Only JPEG, PNG, GIF and WebP pictures are taken."
    ),
    ImageTooLarge: lambda e: errors.TooLarge("picture-too-large", "The picture has too many bytes."),
}


def cacheable_response(request: Request, body: bytes, version: int | None = None) -> Response:
    """Return a public response with its ETag, or 304.

    With `version` the tag is `"<version>-<digest>"`: it changes with everything that is shown (ratings,
    availability), while If-Match compares the version alone.
    """
    digest = hashlib.blake2b(body, digest_size=10).hexdigest()
    etag = f'"{digest}"' if version is None else f'"{version}-{digest}"'
    response = not_modified(request, etag) or Response(body, headers={"ETag": etag})
    response["Cache-Control"] = "public, max-age=2"
    return response


def version_check(request: Request, *, required: bool = True) -> Callable[[int], None] | None:
    """Return the check of If-Match that services call before they write.

    A missing header raises 428 at once, another version 412 when the check is called.
    """
    header = request.META.get("HTTP_IF_MATCH")
    if header is None:
        if required:
            raise errors.PreconditionRequired(detail="Send If-Match with the ETag of what you change.")
        return None
    tags = [tag.strip().removeprefix("W/").strip('"').partition("-")[0] for tag in header.split(",")]

    def check_version(version: int) -> None:
        if "*" not in tags and str(version) not in tags:
            raise errors.PreconditionFailed(
                detail="It was changed since; read it again.", current=f'"{version}"'
            )

    return check_version


def actor(request: Request) -> Actor:
    """Return the member of staff behind a request."""
    principal = principal_of(request)
    return Actor(principal.id)
