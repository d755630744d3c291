"""One cheap middleware around everything: request id, figures, one access line."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from chassis.observability import context, metrics

_log = logging.getLogger("chassis.access")
_QUIET = frozenset({"livez", "readyz", "metrics"})  # asked every second: counted, not logged

Handler = Callable[[HttpRequest], HttpResponse]


class RequestIdMiddleware:
    """Gives each request an id (or takes an acceptable one), returns it, counts and logs the answer.

    Must be the outermost middleware, so that errors made by the others carry the id too.
    """

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        with context.use(context.accept(request.META.get("HTTP_X_REQUEST_ID"))) as request_id:
            response = self._get_response(request)
            response["X-Request-ID"] = request_id
            self._account(request, response, time.perf_counter() - started)
        return response

    @staticmethod
    def _account(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
        match = request.resolver_match
        route = match.route if match else "unmatched"
        metrics.observe(request.method or "", route, response.status_code, seconds)
        if route in _QUIET:
            return
        _log.info(
            "%s %s %s",
            request.method,
            route,
            response.status_code,
            extra={"path": request.path, "status": response.status_code, "ms": round(seconds * 1000, 1)},
        )
