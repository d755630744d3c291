"""Pages and fragments as answers: rendering, and what is said when something is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import get_template
from django.utils.http import url_has_allowed_host_and_scheme

from chassis.siblings import SiblingDown, Throttled
from shop.domain import outages
from shop.domain.outages import AWAY, PAUSE, Outage
from shop.forms import SignInForm
from shop.sessions import Shopper
from shop.wiring import Parts, wiring

#: Fresh for 2 s; the gateway decides how long a stale one serves while the shop is away.
PUBLIC = "public, max-age=2"
PRIVATE = "private, no-store"

#: What a form may carry through a sign-in, in characters; a checkout takes a thousand.
_MAX_CARRIED = 20_000
_SECRET = {"password", "otp"}
_SIGNED_OUT = "You have been signed out"


def parts() -> Parts:
    return wiring.parts()


@dataclass(frozen=True, slots=True)
class Again:
    """A form that could not be taken, to be sent again as it was typed."""

    path: str
    fields: list[tuple[str, str]]

    @classmethod
    def of(cls, request: HttpRequest) -> Again | None:
        """What this request sent, without secrets; None for a query."""
        if request.method != "POST":
            return None
        sent = [(n, v) for n, values in request.POST.lists() for v in values if n not in _SECRET]
        return cls(request.path, sent)

    @classmethod
    def carried(cls, request: HttpRequest) -> Again | None:
        """What a sign-in page carries for another form of this shop."""
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
    request: HttpRequest,
    title: str,
    text: str,
    status: int,
    *,
    retry_after: int = PAUSE,
    link: tuple[str, str] | None = None,
) -> HttpResponse:
    """A page that only says something, and offers to send a form again that could not be taken just now; in
    place of a fragment the sentence alone, which the page's script shows beside what is there."""
    part = wants_part(request)
    context = {"title": title, "text": text, "status": status, "link": link}
    if status in (429, 503) and not part:
        context["again"] = Again.of(request)
    response = render(request, "shop/parts/message.html" if part else "shop/message.html", context, status)
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
    return message(request, said.title, said.text, said.status, retry_after=said.retry_after)


def ask_to_sign_in(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    """Send someone without a session to the sign-in page; one whose session ended may go on where they were.

    A form is carried through the sign-in, a fragment says so beside what is there, and while auth cannot be
    asked nobody is told that their session is over.
    """
    if shopper.unsure:
        return message(request, *AWAY["auth"], 503)
    here = request.get_full_path()
    if wants_part(request):
        link = ("/signin?" + urlencode({"next": _page_of(request)}), "Sign in again")
        return message(request, _SIGNED_OUT, "Nothing in your cart is lost.", 401, link=link)
    if request.method in ("GET", "HEAD"):
        return redirect("/signin?" + urlencode({"next": here}))
    context = {"form": SignInForm(), "again": Again.of(request), "signed_out": True}
    return render(request, "shop/sign_in.html", context, 401)


def cart_apart(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    """In place of "your cart is empty" for someone whose cart is with an account that cannot be seen now."""
    if shopper.unsure:
        text = "Signing in is taking a break, and your cart waits with your account. Nothing in it is lost."
        return message(request, AWAY["cart"][0], text, 503)
    if request.method != "GET" or wants_part(request):
        return ask_to_sign_in(request, shopper)
    context = {"form": SignInForm(), "next": request.get_full_path(), "signed_out": True}
    return render(request, "shop/sign_in.html", context, 401)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return message(request, "There is nothing here", "It may have moved, or it is no longer sold.", 404)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return message(request, "That was too much for us", "Please go back and try again with less.", 400)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django has logged it. The page asks no service: one of them may be the reason."""
    text = "We have been told about it. Nothing is lost."
    context = {"title": "Something broke on our side", "text": text, "demo": settings.DEMO}
    template = "shop/parts/message.html" if wants_part(request) else "shop/broken.html"
    return HttpResponse(get_template(template).render(context), status=500)


def is_htmx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-Boosted") != "true"


def wants_part(request: HttpRequest) -> bool:
    """True when the answer goes into a page that is on the screen."""
    return is_htmx(request) or request.path.startswith("/fragments/")


def redirect(url: str) -> HttpResponse:
    """After a form: the browser fetches the next page with GET, and reloading it sends nothing again."""
    response = HttpResponseRedirect(url)
    response.status_code = 303
    return response


def safe_next(request: HttpRequest, default: str = "/") -> str:
    """Where to go after it, if that is a page of this shop."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    return wanted if _is_ours(wanted) else default


def _is_ours(path: str) -> bool:
    return path.startswith("/") and url_has_allowed_host_and_scheme(path, allowed_hosts=None)


def _page_of(request: HttpRequest) -> str:
    """The page on which a fragment was asked for, as htmx tells it."""
    parts = urlsplit(request.headers.get("HX-Current-URL", ""))
    page = parts.path + (f"?{parts.query}" if parts.query else "")
    return page if _is_ours(page) else "/cart"
