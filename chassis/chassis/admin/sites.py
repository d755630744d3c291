"""The admin site of a service: signed on by the suite, with a dashboard and the suite's look."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable
from functools import partial, update_wrapper
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.http import urlencode

from chassis.couch import Busy, Unavailable

from .content_security import protect
from .sso import SignOnDown, user_of

log = logging.getLogger(__name__)

LOGIN = "/admin/auth/login/"
LOGOUT = "/admin/auth/logout/"
#: The bar on top of every admin: (service, title, shown to whom). Adding an admin to the suite is one line
#: here.
SUITE = (
    ("catalog", "Catalog"),
    ("checkout", "Orders"),
    ("cart", "Carts"),
    ("auth", "People"),
    ("logs", "Activity"),
    ("reco", "Recommendations"),
    ("autoscale", "Autoscaler"),
)
#: Where staff begin; auth serves it.
HOME = "/admin/"
Dashboard = Callable[[HttpRequest], list[Any]]


def suite_of(user: Any) -> list[dict[str, Any]]:
    """Return name, title and address of the admins that run here and that this person may enter."""
    held = {permission.partition(".")[0] for permission in user.permissions} if user else set()
    return [
        {"name": name, "title": title, "url": f"/admin/{name}/"}
        for name, title in SUITE
        if name in held and name in settings.ADMIN_SITES
    ]


@dataclasses.dataclass(frozen=True)
class Page:
    """A page of the service's own in its admin."""

    route: str
    view: Callable[[HttpRequest, dict[str, Any]], HttpResponse]
    title: str
    permission: str
    name: str


class SuiteSite(admin.AdminSite):
    """Django's default site, replaced: `django.contrib.admin.site` is this one."""

    site_url = "/"
    index_title = "Overview"
    enable_nav_sidebar = True
    login_view: Callable[..., HttpResponse] | None = None
    logout_view: Callable[..., HttpResponse] | None = None

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self._dashboards: list[Dashboard] = []
        self._pages: list[Page] = []

    @property
    def service_title(self) -> str:
        """What this service is called in the bar."""
        return dict(SUITE).get(settings.SERVICE, settings.SERVICE.capitalize())

    @property
    def site_title(self) -> str:  # type: ignore[override]
        return f"{self.service_title} · Hivemart"

    @property
    def site_header(self) -> str:  # type: ignore[override]
        return "Hivemart"

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Only document models: Django's own groups and permissions have no table behind them."""
        models = [model_or_iterable] if isinstance(model_or_iterable, type) else list(model_or_iterable)
        models = [model for model in models if hasattr(model, "source")]
        if models:
            super().register(models, admin_class, **options)

    def dashboard(self, function: Dashboard) -> Dashboard:
        """Register a function whose widgets are shown on the index page; a decorator."""
        self._dashboards.append(function)
        return function

    def page(self, route: str, view: Callable[..., HttpResponse], *, title: str, permission: str) -> None:
        """Add a page at `/admin/<service>/<route>`, linked from the index for who holds the permission."""
        self._pages.append(Page(route, view, title, permission, f"page_{route.strip('/').replace('/', '_')}"))

    def get_urls(self) -> list[Any]:
        own = [
            path(page.route, self.admin_view(partial(self._page, page)), name=page.name)
            for page in self._pages
        ]
        # Not behind the sign-on: whoever has no permission here must still be able to leave.
        return [path("logout/", self.logout, name="logout"), *own, *super().get_urls()]

    def _page(self, page: Page, request: HttpRequest) -> HttpResponse:
        if not request.user.has_perm(page.permission):
            raise PermissionDenied
        request.current_app = self.name
        return page.view(request, {**self.each_context(request), "title": page.title})

    def has_permission(self, request: HttpRequest) -> bool:
        user = getattr(request, "user", None)
        return bool(user) and user.has_module_perms(settings.SERVICE)

    def admin_view(
        self, view: Callable[..., HttpResponse], cacheable: bool = False
    ) -> Callable[..., HttpResponse]:
        """Stock, after finding out who is there; auth or the store being away is said, not thrown."""
        inner = super().admin_view(view, cacheable)

        def signed_on(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                request.user = user_of(request)
            except SignOnDown:
                return protect(self._away(request, "The sign-in service does not answer."))
            if request.user is None:
                return HttpResponseRedirect(f"{LOGIN}?{urlencode({'next': request.get_full_path()})}")
            if not self.has_permission(request):
                return protect(self._refused(request))
            return protect(self._answer(inner, request, *args, **kwargs))

        return update_wrapper(signed_on, view)

    def _answer(
        self, inner: Callable[..., HttpResponse], request: HttpRequest, *args: Any, **kwargs: Any
    ) -> Any:
        try:
            response = inner(request, *args, **kwargs)
            # Lists are read while the page is rendered: do that where a store that is away can still be told.
            return (
                response.render() if hasattr(response, "render") and callable(response.render) else response
            )
        except (Unavailable, Busy):
            return self._away(request, "This service's store does not answer.")
        except PermissionDenied:
            return self._refused(request)

    def _away(self, request: HttpRequest, what: str) -> HttpResponse:
        context = {"what": what, "service": self.service_title}
        response = TemplateResponse(request, "admin/away.html", context, status=503).render()
        response["Retry-After"] = "5"
        return response

    def _refused(self, request: HttpRequest) -> HttpResponse:
        context = {"service": self.service_title, "suite": self._suite(request), "user": request.user}
        return TemplateResponse(request, "admin/refused.html", context, status=403).render()

    def _suite(self, request: HttpRequest) -> list[dict[str, Any]]:
        user = getattr(request, "user", None)
        return [{**each, "here": each["name"] == settings.SERVICE} for each in suite_of(user)]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return {
            **super().each_context(request),
            "suite": self._suite(request),
            "service_title": self.service_title,
            "logout_url": LOGOUT,
            "pages": [
                page for page in self._pages if request.user and request.user.has_perm(page.permission)
            ],
        }

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        shown: list[Any] = []
        for dashboard in self._dashboards:
            try:
                shown += dashboard(request)
            except Exception:  # a figure that fails must not take the page with it
                log.exception("dashboard failed")
        return super().index(request, {"widgets": shown, **(extra_context or {})})

    def get_log_entries(self, request: HttpRequest) -> list[Any]:
        """None: histories live with the objects and in the audit trail of logs_svc."""
        return []

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Auth serves the one sign-in page; everywhere else this only leads there."""
        if self.login_view is not None:
            return protect(self.login_view(request))
        return HttpResponseRedirect(LOGIN)

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if self.logout_view is not None:
            return protect(self.logout_view(request))
        return HttpResponseRedirect(LOGOUT)

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return HttpResponseRedirect("/admin/auth/")


site = admin.site


def register(*models: Any) -> Callable[[type], type]:
    """`@register(ProductModel)` over a DocumentAdmin, as Django's own."""
    return admin.register(*models)
