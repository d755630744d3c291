"""Behaviour events from browsers, and consent to them."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from chassis.clients import Refused, ServiceUnavailable
from shop.clients import Caller
from shop.sessions import Shopper
from shop.views.base import fragment, page
from shop.views.responses import dependencies, redirect, render, safe_next

#: Event types that pages send; purchases come from checkout's events alone.
KINDS = {"view", "search", "click", "impression", "add_to_cart", "remove_from_cart", "checkout_started"}
_FIELDS = {"id", "type", "product_id", "at", "data"}
_MAX_BODY = 64 * 1024


@fragment(methods="POST")
def events(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    """Pass 1 to 100 events on to logs, with the shopper's identity only after consent.

    While logs is unavailable they are dropped: a page never waits for its statistics.
    """
    found = _read(request)
    if found is None:
        return JsonResponse({"detail": "A JSON array of 1 to 100 events is expected."}, status=400)
    caller = shopper.caller if shopper.consented else Caller(forwarded_for=shopper.forwarded_for)
    # Leave out the cart's id, which gives access to the cart.
    caller = Caller(token=caller.token, session_id=caller.session_id, forwarded_for=caller.forwarded_for)
    try:
        sent = dependencies().logs.send(caller, found, agent=_agent(request), consented=shopper.consented)
        return JsonResponse(sent, status=202)
    except Refused as refused:
        if refused.status == 401 and shopper.signed_in:
            raise
        return JsonResponse(
            {"detail": str(refused.problem.get("detail") or "Not accepted.")}, status=refused.status
        )
    except ServiceUnavailable:
        return JsonResponse({"accepted": 0, "rejected": []}, status=202)


def _agent(request: HttpRequest) -> str:
    """Return the User-Agent, by which logs detects crawlers, if it is a safe header value."""
    name = request.headers.get("User-Agent", "")[:300]
    return name if name.isascii() and name.isprintable() else ""


def _read(request: HttpRequest) -> list[dict[str, Any]] | None:
    """Return the events without fields that only the server may set; None for an invalid body."""
    if len(request.body) > _MAX_BODY:
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
    """Render the consent banner until it is answered."""
    if shopper.get("consent"):
        return HttpResponse("")
    return render(request, "shop/parts/consent.html", {"next": safe_next(request)})


@page(methods="GET HEAD")
def privacy(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    return render(request, "shop/privacy.html", {"consent": shopper.get("consent")})


@page(methods="POST")
def consent(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    shopper.set_consent(request.POST.get("answer") == "yes")
    if request.headers.get("HX-Request"):
        return HttpResponse("")
    return redirect(safe_next(request))
