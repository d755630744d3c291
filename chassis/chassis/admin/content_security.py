"""The Content-Security-Policy of the admin's pages: nothing inline, nothing from elsewhere."""

from __future__ import annotations

from django.http import HttpResponse

POLICY = (
    "default-src 'self'; img-src 'self' data: blob: https:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)


def protect(response: HttpResponse) -> HttpResponse:
    """Add the policy to the response, unless a stricter part has set its own."""
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    return response
