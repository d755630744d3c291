"""What Django answers when no view did: problem+json everywhere but in the admin, which is for people."""

from __future__ import annotations

from typing import Any

from django.conf import urls as defaults
from django.http import HttpRequest, HttpResponse
from django.views import defaults as pages

from chassis.api import errors
from chassis.api.json import dumps


def respond(problem: errors.Problem) -> HttpResponse:
    """Return the problem as a plain Django response, for middleware and handlers outside of DRF."""
    return HttpResponse(
        dumps(problem.body()),
        status=problem.status_code,
        content_type=errors.CONTENT_TYPE,
        headers=problem.response_headers(),
    )


def _for_people(request: HttpRequest) -> bool:
    return request.path.startswith("/admin/")


def bad_request(request: HttpRequest, exception: Exception, *args: Any) -> HttpResponse:
    if _for_people(request):
        return pages.bad_request(request, exception)
    return respond(errors.problem_for(exception) or errors.BadRequest())


def permission_denied(request: HttpRequest, exception: Exception, *args: Any) -> HttpResponse:
    if _for_people(request):
        return pages.permission_denied(request, exception)
    return respond(errors.Forbidden())


def not_found(request: HttpRequest, exception: Exception, *args: Any) -> HttpResponse:
    if _for_people(request):
        return pages.page_not_found(request, exception)
    return respond(errors.NotFound(detail="There is nothing at this address."))


def server_error(request: HttpRequest, *args: Any) -> HttpResponse:
    """Django has logged the exception; the caller learns the request id and nothing internal."""
    if _for_people(request):
        return pages.server_error(request)
    return respond(errors.Problem(500, detail="Something went wrong on our side."))


def install() -> None:
    """Make these Django's defaults, which it takes wherever a URLconf names none of its own."""
    handlers: Any = defaults
    handlers.handler400 = bad_request
    handlers.handler403 = permission_denied
    handlers.handler404 = not_found
    handlers.handler500 = server_error
