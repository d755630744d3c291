"""Refuse cross-site request forgery in one place, by Origin and Sec-Fetch-Site.

No page carries a token. Browsers send both headers on every state-changing request; a caller that sends
neither is no browser, and holds no victim's cookies. The cookies are SameSite=Lax besides. JSON interfaces
take no cookies and are left alone.
Source: OWASP CSRF Prevention Cheat Sheet, "Verifying origin" and "Fetch metadata".
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class SameOriginMiddleware:
    """Refuses state changes that another site's page sent.

    It switches Django's token check off for the others.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _changes_state(request) and not same_origin(request):
            return HttpResponse(
                "This request came from another site.\n", status=403, content_type="text/plain"
            )
        # Django's csrf_protect around the stock admin views looks at this and trusts it.
        request.csrf_processing_done = True  # type: ignore[attr-defined]
        return self.get_response(request)


def _changes_state(request: HttpRequest) -> bool:
    """JSON interfaces take tokens, not cookies, and are called from other origins by right."""
    return request.method not in SAFE_METHODS and not request.path.startswith(("/api/", "/internal/"))


def same_origin(request: HttpRequest) -> bool:
    """Whether nothing in the headers says that another origin's page made this request."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    return urlsplit(origin).netloc.lower() in _own_hosts(request)


def _own_hosts(request: HttpRequest) -> set[str]:
    """Return the shop's public host, and the one in this request's Host (a page cannot forge it)."""
    return {urlsplit(settings.PUBLIC_URL).netloc.lower(), request.get_host().lower()} - {""}


def no_csrf_token(request: HttpRequest) -> dict[str, str]:
    """Provide a constant for the stock templates' `{% csrf_token %}`; no cookie is set."""
    return {"csrf_token": "same-origin"}
