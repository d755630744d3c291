"""Responses of pages and fragments: rendering, messages, redirects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import get_template
from django.utils.http import url_has_allowed_host_and_scheme

from chassis.clients import ServiceUnavailable, Throttled
from shop.container import Dependencies, container
from shop.domain import outages
from shop.domain.outages import DEFAULT_RETRY_SECONDS, UNAVAILABLE_TEXTS, Outage
from shop.forms import SignInForm
from shop.sessions import Shopper

#: Fresh for 2 s; the gateway decides how long it serves a stale page while the shop is unavailable.
PUBLIC = "public, max-age=2"
PRIVATE = "private, no-store"

#: Maximum length of a form carried through a sign-in; a checkout has a thousand characters.
_MAX_CARRIED = 20_000
_SECRET = {"password", "otp"}
_SIGNED_OUT = "You have been signed out"


def dependencies() -> Dependencies:
    return container.get()


@dataclass(frozen=True, slots=True)
class ResubmittableForm:
    """Form that could not be processed, to be sent again as it was typed."""

    path: str
    fields: list[tuple[str, str]]

    @classmethod
    def of(cls, request: HttpRequest) -> ResubmittableForm | None:
        """Return the fields of this request without secrets; None for a query."""
        if request.method != "POST":
            return None
        sent = [(n, v) for n, values in request.POST.lists() for v in values if n not in _SECRET]
        return cls(request.path, sent)

    @classmethod
    def carried(cls, request: HttpRequest) -> ResubmittableForm | None:
        """Return the form that a sign-in page carries along."""
        path, text = request.POST.get("again", ""), request.POST.get("again_fields", "")
        if not _is_ours(path) or len(text) > _MAX_CARRIED:
            return None
        return cls(path, parse_qsl(text, keep_blank_values=True))

    @property
    def text(self) -> str:
        return urlencode(self.fields)


def render(
    request: HttpRequest, template: str, context: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    """Render a page or fragment with the shared context; there are no context processors."""
    frame = {
        "menu": dependencies().catalog.menu() if not template.startswith("shop/parts/") else (),
        "path": request.path,
        "public_url": settings.PUBLIC_URL,
        "demo": settings.DEMO,
        "query": "",
    }
    return HttpResponse(get_template(template).render(frame | (context or {})), status=status)


def message(
    request: HttpRequest,
    title: str,
    text: str,
    status: int,
    *,
    retry_after: int = DEFAULT_RETRY_SECONDS,
    link: tuple[str, str] | None = None,
) -> HttpResponse:
    """Render a message page, which offers to send a form again that could not be processed.

    For a fragment it is the sentence alone, which the page's script shows beside the current content.
    """
    part = wants_part(request)
    context = {"title": title, "text": text, "status": status, "link": link}
    if status in (429, 503) and not part:
        context["again"] = ResubmittableForm.of(request)
    response = render(request, "shop/parts/message.html" if part else "shop/message.html", context, status)
    response.headers["Cache-Control"] = PRIVATE
    return set_retry_after(response, retry_after)


def set_retry_after(response: HttpResponse, retry_after: int = DEFAULT_RETRY_SECONDS) -> HttpResponse:
    """Add Retry-After to a 429 or 503 and return the response."""
    if response.status_code in (429, 503):
        response.headers.setdefault("Retry-After", str(retry_after))
    return response


def describe_outage(down: ServiceUnavailable) -> Outage:
    """Return the message for the shopper."""
    limited = isinstance(down, Throttled)
    return outages.describe(down.service, limited=limited, retry_after=down.retry_after)


def unavailable(request: HttpRequest, down: ServiceUnavailable) -> HttpResponse:
    outage = describe_outage(down)
    return message(request, outage.title, outage.text, outage.status, retry_after=outage.retry_after)


def ask_to_sign_in(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    """Send a shopper without a session to the sign-in page, and back afterwards.

    A form is carried through the sign-in, a fragment gets a message beside the current content, and while
    auth is unavailable nobody is told that their session is over.
    """
    if shopper.session_unknown:
        return message(request, *UNAVAILABLE_TEXTS["auth"], 503)
    here = request.get_full_path()
    if wants_part(request):
        link = ("/signin?" + urlencode({"next": _page_of(request)}), "Sign in again")
        return message(request, _SIGNED_OUT, "Nothing in your cart is lost.", 401, link=link)
    if request.method in ("GET", "HEAD"):
        return redirect("/signin?" + urlencode({"next": here}))
    context = {"form": SignInForm(), "again": ResubmittableForm.of(request), "signed_out": True}
    return render(request, "shop/sign_in.html", context, 401)


def account_cart_hidden(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    """Explain that the cart is with an account that is inaccessible now, in place of "empty"."""
    if shopper.session_unknown:
        text = "Signing in is taking a break, and your cart waits with your account. Nothing in it is lost."
        return message(request, UNAVAILABLE_TEXTS["cart"][0], text, 503)
    if request.method != "GET" or wants_part(request):
        return ask_to_sign_in(request, shopper)
    context = {"form": SignInForm(), "next": request.get_full_path(), "signed_out": True}
    return render(request, "shop/sign_in.html", context, 401)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return message(request, "There is nothing here", "It may have moved, or it is no longer sold.", 404)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return message(request, "That was too much for us", "Please go back and try again with less.", 400)


def server_error(request: HttpRequest) -> HttpResponse:
    """Render the error page without asking any service, as one of them may be the cause.

    Django has logged the error.
    """
    text = "We have been told about it. Nothing is lost."
    context = {"title": "Something broke on our side", "text": text, "demo": settings.DEMO}
    template = "shop/parts/message.html" if wants_part(request) else "shop/broken.html"
    return HttpResponse(get_template(template).render(context), status=500)


def is_htmx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-Boosted") != "true"


def wants_part(request: HttpRequest) -> bool:
    """Return True if the response goes into a page that is on the screen."""
    return is_htmx(request) or request.path.startswith("/fragments/")


def redirect(url: str) -> HttpResponse:
    """Redirect after a form with 303, so that reloading sends nothing again."""
    response = HttpResponseRedirect(url)
    response.status_code = 303
    return response


def safe_next(request: HttpRequest, default: str = "/") -> str:
    """Return the wanted next page if it is one of this shop."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    return wanted if _is_ours(wanted) else default


def _is_ours(path: str) -> bool:
    return path.startswith("/") and url_has_allowed_host_and_scheme(path, allowed_hosts=None)


def _page_of(request: HttpRequest) -> str:
    """Return the page on which htmx requested a fragment."""
    parts = urlsplit(request.headers.get("HX-Current-URL", ""))
    page = parts.path + (f"?{parts.query}" if parts.query else "")
    return page if _is_ours(page) else "/cart"
