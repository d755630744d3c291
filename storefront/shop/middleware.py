"""Middleware that sets the security headers of every page."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse


class PageHeaders:
    """Content-Security-Policy and related headers, and `no-store` unless a view has set another one.

    The policy has no `unsafe-inline`: the pages have no inline script or style. JSON-LD is data, which it
    permits.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response
        self._headers = {
            "Content-Security-Policy": policy(settings.MEDIA_URL),
            "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), browsing-topics=()",
            "Cross-Origin-Opener-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
            # The address of a guest's order has a token, which other sites must not see.
            "Referrer-Policy": "same-origin",
        }
        if settings.PUBLIC_URL.startswith("https://"):
            self._headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        for name, value in self._headers.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", "no-store")
        return response


def policy(media_url: str) -> str:
    """Return the policy; images may also come from the CDN that `MEDIA_URL` names."""
    parts = urlsplit(media_url)
    images = f"'self' {parts.scheme}://{parts.netloc}" if parts.netloc else "'self'"
    return (
        f"default-src 'self'; img-src {images}; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    )
