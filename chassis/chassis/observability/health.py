"""/livez, /readyz and /metrics. They are for the gateway and the operator; the gateway hides them outside."""

from __future__ import annotations

import importlib
import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from chassis.observability import metrics

_log = logging.getLogger("chassis.health")

Checks = Mapping[str, Callable[[], object]]
PATIENCE = (
    0.7  # seconds for all checks together; the gateway waits 0.9 s before it takes the service for gone
)


@require_safe
def livez(request: HttpRequest) -> HttpResponse:
    """503 until the process was ready once; from then on it is about the process alone.

    So a new replica gets no requests before it can answer them, and a database that goes away later kills
    none.
    """
    if _was_ready.is_set() or look_around()[0] != "missing":
        return JsonResponse({"status": "ok", "service": settings.SERVICE})
    starting = JsonResponse({"status": "starting", "service": settings.SERVICE}, status=503)
    starting._has_been_logged = True  # type: ignore[attr-defined]  # no error, but how every process begins
    return starting


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer what is missing: 200 `ok` for nothing, 200 `degraded` for optional parts only, 503 `missing`."""
    status, missing = look_around()
    return JsonResponse({"status": status, "missing": missing}, status=503 if status == "missing" else 200)


_was_ready = threading.Event()


def look_around() -> tuple[str, list[str]]:
    """Return the verdict on the service's parts as they are now, and those that are missing."""
    missing = failing(checks())
    status = verdict(missing, getattr(_container(), "SPARE", ()))
    if status != "missing":
        _was_ready.set()
    return status, missing


def verdict(missing: Collection[str], spare: Collection[str]) -> str:
    """`ok`, `degraded` (it serves without what is `spare`) or `missing`."""
    if not missing:
        return "ok"
    return "degraded" if set(missing) <= set(spare) else "missing"


@require_safe
def metrics_view(request: HttpRequest) -> HttpResponse:
    body, content_type = metrics.exposition()
    return HttpResponse(body, content_type=content_type)


def checks() -> Checks:
    """Return `READY` of the service's container: name -> a function that raises when the part is missing."""
    ready: Checks = getattr(_container(), "READY", {})
    return ready


def _container() -> object:
    """Return the service's container module; None where there is none."""
    app = getattr(settings, "SERVICE_APP", "")
    if not app:
        return None
    try:
        return importlib.import_module(f"{app}.container")
    except ModuleNotFoundError:
        return None


def failing(parts: Checks, patience: float = PATIENCE) -> list[str]:
    """Return the names of the checks that raise, answer False, or are not done after `patience` seconds."""
    end = time.monotonic() + patience
    looks = {name: _look(name, check) for name, check in parts.items()}
    for look in looks.values():
        look.join(max(0.0, end - time.monotonic()))
    return [name for name, look in looks.items() if look.is_alive() or not look.well]


class _Look(threading.Thread):
    """One look at a part, which may hang for as long as its client waits."""

    def __init__(self, name: str, check: Callable[[], object]) -> None:
        super().__init__(daemon=True, name=f"ready? {name}")
        self.part, self.check = name, check
        self.well = False

    def run(self) -> None:
        self.well = _passes(self.part, self.check)


_lock = threading.Lock()
_looks: dict[str, _Look] = {}


def _look(name: str, check: Callable[[], object]) -> _Look:
    """Begin to look, unless somebody still does: a part that hangs costs one thread."""
    with _lock:
        look = _looks.get(name)
        if look is None or look.check is not check or not look.is_alive():
            look = _looks[name] = _Look(name, check)
            look.start()
        return look


def _passes(name: str, check: Callable[[], object]) -> bool:
    try:
        return check() is not False
    except Exception as error:  # noqa: BLE001  # whatever a part raises means that it is not ready
        _log.warning("not ready: %s: %s", name, error)
        return False
