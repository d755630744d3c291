"""Wrappers of all views: session, cache headers, and errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed

from chassis.clients import Refused, ServiceUnavailable
from shop.sessions import Shopper
from shop.views.responses import (
    PRIVATE,
    PUBLIC,
    ask_to_sign_in,
    dependencies,
    message,
    not_found,
    unavailable,
)

View = Callable[..., HttpResponse]
#: Services whose 404 may mean "not yours".
_PERSONAL = frozenset({"cart", "checkout"})


def page(
    *, cacheable: bool = False, signed_in: bool = False, methods: str = "GET HEAD"
) -> Callable[[View], View]:
    """Wrap a whole page: `view(request, shopper, ...)`.

    `cacheable` pages hold no data of one shopper and may be cached by the gateway; `signed_in` ones send
    everyone else to the sign-in page. The access token is renewed first. An unavailable service gives a 503
    page in the shop's design.
    """
    return _wrap(cacheable=cacheable, signed_in=signed_in, methods=methods, renews=True)


def fragment(*, cacheable: bool = False, methods: str = "GET HEAD") -> Callable[[View], View]:
    """Wrap a part of a page that htmx fetches.

    The access token is renewed first, unless the part is `cacheable`: several parts that do so at once get
    the same successor. An error is a sentence, never another page.
    """
    return _wrap(cacheable=cacheable, signed_in=False, methods=methods, renews=not cacheable)


def _wrap(*, cacheable: bool, signed_in: bool, methods: str, renews: bool) -> Callable[[View], View]:
    allowed = tuple(methods.split())

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapped(request: HttpRequest, **kwargs: Any) -> HttpResponse:
            if request.method not in allowed:
                return HttpResponseNotAllowed(allowed)
            shopper = Shopper.of(request)
            if renews:
                shopper.refresh(dependencies().accounts)
            response = _Call(view, request, shopper, kwargs, signed_in).answer()
            keep = cacheable and response.status_code == 200 and not shopper.changes
            response.headers.setdefault("Cache-Control", PUBLIC if keep else PRIVATE)
            if request.method == "HEAD":
                response.headers["Content-Length"] = str(len(response.content))
                response.content = b""
            return shopper.write(response)

        wrapped.access = "signed in" if signed_in else "everyone"  # type: ignore[attr-defined]
        return wrapped

    return decorate


@dataclass(frozen=True, slots=True)
class _Call:
    """One request to a view, with the responses to its errors."""

    view: View
    request: HttpRequest
    shopper: Shopper
    kwargs: dict[str, Any]
    signed_in: bool

    def answer(self) -> HttpResponse:
        if self.signed_in and not self.shopper.signed_in:
            return ask_to_sign_in(self.request, self.shopper)
        try:
            return self.view(self.request, self.shopper, **self.kwargs)
        except ServiceUnavailable as down:
            return unavailable(self.request, down)
        except Refused as refused:
            return self._refused(refused)
        except Http404:
            return not_found(self.request)

    def _refused(self, refused: Refused) -> HttpResponse:
        if refused.status == 401 and self.shopper.signed_in:
            # The token was revoked (sign-out elsewhere, a retired key) and nothing was done: retry with a
            # new token, or without one.
            self.shopper.renew(dependencies().accounts)
            return self.answer()
        hidden = refused.status == 404 and refused.service in _PERSONAL and self.shopper.account_hidden
        if refused.status == 401 or hidden:
            return ask_to_sign_in(self.request, self.shopper)
        if refused.status in (400, 404, 414):
            return not_found(self.request)
        text = str(refused.problem.get("detail") or "Please try again.")
        return message(self.request, "That did not work", text, refused.status)
