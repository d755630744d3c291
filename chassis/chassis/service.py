"""The one call that gives a service its URLs: API, schema, internal routes, inbox, health, figures, admin.

# config/urls.py
from chassis.service import urlpatterns as mount
urlpatterns = mount(api=catalog.urls.api, internal=catalog.urls.internal)
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from django.apps import apps
from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from chassis.api import converters  # noqa: F401  # importing registers <id:…> and <sku:…>
from chassis.container import Container

__all__ = ["Container", "urlpatterns"]

Routes = Sequence[URLPattern | URLResolver]


def urlpatterns(*, api: Routes, internal: Routes = ()) -> list[URLPattern | URLResolver]:
    """All routes of the service `settings.SERVICE`.

    `api` goes under /api/<name>/ (an empty route is /api/<name> itself), `internal` under /internal/.
    """
    from chassis.api import handlers
    from chassis.observability import health

    handlers.install()
    name = settings.SERVICE
    return [
        path("livez", health.livez, name="livez"),
        path("readyz", health.readyz, name="readyz"),
        path("metrics", health.metrics_view, name="metrics"),
        *_rooted(f"api/{name}", api),
        path(f"api/{name}/", include([*(route for route in api if not _is_root(route)), *_documents()])),
        path("internal/", include([*internal, *_inbox()])),
        *_admin(name),
    ]


def _is_root(route: URLPattern | URLResolver) -> bool:
    return isinstance(route, URLPattern) and str(route.pattern) == ""


def _rooted(prefix: str, api: Routes) -> list[URLPattern]:
    """`path("", view)` of a service is /api/<name>, without the slash that include() would add."""
    return [
        path(prefix, route.callback, route.default_args, route.name)
        for route in api
        if isinstance(route, URLPattern) and _is_root(route)
    ]


def _documents() -> list[URLPattern]:
    from chassis.api import schema

    return [
        path("schema", schema.SchemaView.as_view(), name="schema"),
        path("docs", schema.DocsView.as_view(url_name="schema"), name="docs"),
    ]


def _inbox() -> list[URLPattern]:
    """Where services deliver their events, if the service listens to any."""
    if find_spec("chassis.messaging.views") is None:
        return []
    from chassis.messaging import views

    return [path("events", views.Inbox.as_view(), name="inbox")]


def _admin(name: str) -> list[URLResolver]:
    if not apps.is_installed("django.contrib.admin"):
        return []
    from chassis.admin import site

    return [path(f"admin/{name}/", site.urls)]
