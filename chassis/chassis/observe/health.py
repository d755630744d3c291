"""/livez, /readyz and /metrics. They are for the gateway and the operator; the gateway hides them outside."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Mapping

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from chassis.observe import metrics

_log = logging.getLogger("chassis.health")

Checks = Mapping[str, Callable[[], object]]


@require_safe
def livez(request: HttpRequest) -> HttpResponse:
    """About the process alone: it never looks at a database, or one that is away would kill every replica."""
    return JsonResponse({"status": "ok", "service": settings.SERVICE})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when all of the service's parts answer, else 503 with the names of those that do not."""
    missing = failing(checks())
    status = 503 if missing else 200
    return JsonResponse({"status": "missing" if missing else "ok", "missing": missing}, status=status)


@require_safe
def metrics_view(request: HttpRequest) -> HttpResponse:
    body, content_type = metrics.exposition()
    return HttpResponse(body, content_type=content_type)


def checks() -> Checks:
    """`READY` of the service's wiring module: name -> a function that raises when the part is not there."""
    app = getattr(settings, "SERVICE_APP", "")
    if not app:
        return {}
    try:
        wiring = importlib.import_module(f"{app}.wiring")
    except ModuleNotFoundError:
        return {}
    ready: Checks = getattr(wiring, "READY", {})
    return ready


def failing(parts: Checks) -> list[str]:
    """The names of the parts whose check raises (or answers False)."""
    return [name for name, check in parts.items() if not _passes(name, check)]


def _passes(name: str, check: Callable[[], object]) -> bool:
    try:
        return check() is not False
    except Exception as error:  # noqa: BLE001  # whatever a part raises means that it is not ready
        _log.warning("not ready: %s: %s", name, error)
        return False
