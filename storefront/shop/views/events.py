"""Behaviour events from browsers, and the question that comes before them."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from chassis.siblings import Refused, SiblingDown
from shop.clients import Caller
from shop.sessions import Shopper
from shop.views.answers import parts, redirect, render, safe_next
from shop.views.base import fragment, page

#: What pages send; purchases come from checkout's facts alone.
KINDS = {"view", "search", "click", "impression", "add_to_cart", "remove_from_cart", "checkout_started"}
_FIELDS = {"id", "type", "product_id", "at", "data"}
_LARGEST = 64 * 1024


@fragment(methods="POST")
def events(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    """1 to 100 events for logs: with the shopper's identity if they agreed, counted without it if not.

    While logs is away they are dropped: a page never waits for its statistics.
    """
    found = _read(request)
    if found is None:
        return JsonResponse({"detail": "A JSON array of 1 to 100 events is expected."}, status=400)
    who = shopper.caller if shopper.consented else Caller(forwarded_for=shopper.forwarded_for)
    # The cart's id opens the cart: logs has no use for it.
    who = Caller(token=who.token, session_id=who.session_id, forwarded_for=who.forwarded_for)
    try:
        sent = parts().logs.send(who, found, agent=_agent(request), consented=shopper.consented)
        return JsonResponse(sent, status=202)
    except Refused as no:
        if no.status == 401 and shopper.signed_in:
            raise
        return JsonResponse({"detail": str(no.problem.get("detail") or "Not accepted.")}, status=no.status)
    except SiblingDown:
        return JsonResponse({"accepted": 0, "rejected": []}, status=202)


def _agent(request: HttpRequest) -> str:
    """The browser's name for itself, by which logs tells crawlers; nothing that could break a header."""
    name = request.headers.get("User-Agent", "")[:300]
    return name if name.isascii() and name.isprintable() else ""


def _read(request: HttpRequest) -> list[dict[str, Any]] | None:
    """The events without what only the server may say (who it was); None when it is not what pages send."""
    if len(request.body) > _LARGEST:
        return None
    try:
        sent = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(sent, list) or not 1 <= len(sent) <= 100 or not all(isinstance(e, dict) for e in sent):
        return None
    return [{name: e[name] for name in _FIELDS & e.keys()} for e in sent if _known(e.get("type"))] or None


def _known(kind: Any) -> bool:
    return isinstance(kind, str) and kind in KINDS


@fragment()
def banner(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    """The question, for whoever has not answered it yet."""
    if shopper.get("consent"):
        return HttpResponse("")
    return render(request, "shop/parts/consent.html", {"next": safe_next(request)})


@page(methods="GET HEAD")
def privacy(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    return render(request, "shop/privacy.html", {"consent": shopper.get("consent")})


@page(methods="POST")
def consent(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    shopper.agree(request.POST.get("answer") == "yes")
    if request.headers.get("HX-Request"):
        return HttpResponse("")
    return redirect(safe_next(request))
