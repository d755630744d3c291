"""What all pages share: who is asking, what may be kept by the gateway, and what is shown when something is
missing."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.loader import get_template
from django.utils.http import url_has_allowed_host_and_scheme

from chassis.siblings import Refused, SiblingDown, Throttled
from shop.domain import outages
from shop.domain.outages import AWAY, PAUSE, Outage
from shop.sessions import Shopper
from shop.wiring import Parts, wiring

View = Callable[..., HttpResponse]

#: Fresh for 2 s; the gateway decides how long a stale one serves while the shop is away.
PUBLIC = "public, max-age=2"
PRIVATE = "private, no-store"


def parts() -> Parts:
    return wiring.parts()


def page(
    *, cacheable: bool = False, signed_in: bool = False, methods: str = "GET HEAD"
) -> Callable[[View], View]:
    """A whole page: `view(request, shopper, ...)`.

    `cacheable` pages hold nothing of one shopper and may be kept by the gateway; `signed_in` ones send
    everyone else
    to the sign-in page. The access token is renewed first. A service that is away makes a 503 page in the
    shop's look.
    """
    return _wrap(cacheable=cacheable, signed_in=signed_in, methods=methods, whole=True)


def fragment(*, cacheable: bool = False, methods: str = "GET HEAD") -> Callable[[View], View]:
    """A part of a page that htmx fetches. It never renews tokens."""
    return _wrap(cacheable=cacheable, signed_in=False, methods=methods, whole=False)


def _wrap(*, cacheable: bool, signed_in: bool, methods: str, whole: bool) -> Callable[[View], View]:
    allowed = tuple(methods.split())

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapped(request: HttpRequest, **kwargs: Any) -> HttpResponse:
            if request.method not in allowed:
                return HttpResponseNotAllowed(allowed)
            shopper = Shopper.of(request)
            if whole:
                shopper.refresh(parts().people)
            if signed_in and not shopper.signed_in:
                return shopper.write(_ask_to_sign_in(request, shopper))
            response = _answer(view, request, shopper, kwargs)
            keep = cacheable and response.status_code == 200 and not shopper.changes
            response.headers.setdefault("Cache-Control", PUBLIC if keep else PRIVATE)
            if request.method == "HEAD":
                response.headers["Content-Length"] = str(len(response.content))
                response.content = b""
            return shopper.write(response)

        wrapped.access = "signed in" if signed_in else "everyone"  # type: ignore[attr-defined]
        return wrapped

    return decorate


def _answer(view: View, request: HttpRequest, shopper: Shopper, kwargs: dict[str, Any]) -> HttpResponse:
    try:
        return view(request, shopper, **kwargs)
    except SiblingDown as down:
        return away(request, down)
    except Refused as no:
        return _refused(view, request, shopper, kwargs, no)
    except Http404:
        return not_found(request)


def _refused(
    view: View, request: HttpRequest, shopper: Shopper, kwargs: dict[str, Any], no: Refused
) -> HttpResponse:
    if no.status == 401 and shopper.signed_in:
        # The token was refused before its time (log-out elsewhere, a retired key): renew it once, or go
        # on as a guest.
        renewed = "access" in shopper.changes
        shopper.drop("access")
        if not renewed:
            shopper.refresh(parts().people)
        if not shopper.get("access"):
            return _ask_to_sign_in(request, shopper)
        return _answer(view, request, shopper, kwargs)
    if no.status in (400, 404, 414):
        return not_found(request)
    return message(
        request, "That did not work", str(no.problem.get("detail") or "Please try again."), no.status
    )


def _ask_to_sign_in(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    if shopper.unsure:
        return message(request, *AWAY["auth"], 503)
    here = request.get_full_path() if request.method in ("GET", "HEAD") else "/account"
    return redirect("/signin?" + urlencode({"next": here}))


def render(
    request: HttpRequest, template: str, context: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    """A page or fragment. Templates get what is passed, and the frame's few things; there are no context
    processors."""
    frame = {
        "menu": parts().browsing.menu() if not template.startswith("shop/parts/") else (),
        "path": request.path,
        "public_url": settings.PUBLIC_URL,
        "demo": settings.DEMO,
        "query": "",
    }
    return HttpResponse(get_template(template).render(frame | (context or {})), status=status)


def message(
    request: HttpRequest, title: str, text: str, status: int, retry_after: int = PAUSE
) -> HttpResponse:
    """A page that only says something; in place of a fragment, the sentence alone."""
    template = "shop/parts/message.html" if is_htmx(request) else "shop/message.html"
    response = render(request, template, {"title": title, "text": text, "status": status}, status)
    response.headers["Cache-Control"] = PRIVATE
    return pausing(response, retry_after)


def pausing(response: HttpResponse, retry_after: int = PAUSE) -> HttpResponse:
    """The response; a 429 or 503 with the seconds after which to come back."""
    if response.status_code in (429, 503):
        response.headers.setdefault("Retry-After", str(retry_after))
    return response


def outage(down: SiblingDown) -> Outage:
    """What is said of it to the shopper."""
    limited = isinstance(down, Throttled)
    return outages.outage(down.sibling, limited=limited, retry_after=down.retry_after)


def away(request: HttpRequest, down: SiblingDown) -> HttpResponse:
    said = outage(down)
    return message(request, said.title, said.text, said.status, said.retry_after)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return message(request, "There is nothing here", "It may have moved, or it is no longer sold.", 404)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return message(request, "That was too much for us", "Please go back and try again with less.", 400)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django has logged it. The page asks no service: one of them may be the reason."""
    html = get_template("shop/broken.html").render({"demo": settings.DEMO})
    return HttpResponse(html, status=500)


def is_htmx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-Boosted") != "true"


def redirect(url: str) -> HttpResponse:
    """After a form: the browser fetches the next page with GET, and reloading it sends nothing again."""
    response = HttpResponseRedirect(url)
    response.status_code = 303
    return response


def safe_next(request: HttpRequest, default: str = "/") -> str:
    """Where to go after it, if that is a page of this shop."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return wanted
    return default
