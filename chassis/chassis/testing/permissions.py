"""Default deny, held by a test: every route of the service says who may call it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from chassis.identity.permissions import DenyAll

_OPEN = ("livez", "readyz", "metrics")  # hidden by the gateway
_DOCUMENTS = ("schema", "docs")


def routes(patterns: Any = None, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(route template, callback) of everything in the URL map, but for the admin, which guards itself."""
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(entry.pattern)
        if route.startswith("admin/"):
            continue
        if isinstance(entry, URLResolver):
            yield from routes(entry.url_patterns, route)
        elif isinstance(entry, URLPattern):
            yield route, entry.callback


def undeclared() -> list[str]:
    """Return what is wrong, one line per route."""
    return [f"{route}: {fault}" for route, view in routes() if (fault := _fault(route, view))]


def _fault(route: str, callback: Any) -> str:
    if route in _OPEN:
        return ""
    view = getattr(callback, "cls", None) or getattr(callback, "view_class", None)
    if view is None:
        return "a function without permission classes"
    # Inherited ones count only from a class of the service: DRF's default is no decision.
    owner = next((base for base in view.__mro__ if "permission_classes" in base.__dict__), None)
    if owner is None or owner.__module__.startswith("rest_framework"):
        return "names no permission classes"
    if not view.permission_classes:
        return "an empty list of permission classes"
    if DenyAll in view.permission_classes:
        return "names no permission classes" if owner.__name__ == "View" else ""
    if route.startswith("internal/") and not _is_for_services(view.permission_classes):
        return "an internal route that is not FromService(…)"
    return ""


def _is_for_services(permissions: Any) -> bool:
    return any(_names_callers(permission) for permission in permissions)


def _names_callers(permission: Any) -> bool:
    if getattr(permission, "for_services", False):
        return True
    table = getattr(permission, "methods", None)
    return isinstance(table, dict) and all(_names_callers(inner) for inner in table.values())


def assert_every_view_declares_permissions() -> None:
    """Fail unless each route of the service names its permissions; every service's tests call it."""
    faults = undeclared()
    assert not faults, "routes without an explicit permission:\n" + "\n".join(faults)
