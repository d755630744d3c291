"""Order pages: a guest's by its link, an account's by sign-in."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from chassis.clients import Refused, ServiceUnavailable
from shop.domain import orders
from shop.sessions import Shopper
from shop.views.base import fragment, page
from shop.views.responses import dependencies, message, redirect, render


@page()
def detail(request: HttpRequest, shopper: Shopper, number: str) -> HttpResponse:
    token = _token(request)
    order = dependencies().orders.order(shopper.caller, number, token)
    context = {
        "order": order,
        "token": token,
        "placed": "placed" in request.GET,
        "signed_in": shopper.signed_in,
    }
    return render(request, "shop/order.html", context)


@fragment()
def status(request: HttpRequest, shopper: Shopper, number: str) -> HttpResponse:
    """Render the status that the page of a pending order polls every two seconds."""
    token = _token(request)
    try:
        order = dependencies().orders.order(shopper.caller, number, token)
    except ServiceUnavailable:
        # 204 changes nothing on the page, which polls again.
        return HttpResponse(status=204)
    return render(request, "shop/parts/order_status.html", {"order": order, "token": token, "placed": True})


@page(methods="POST")
def cancel(request: HttpRequest, shopper: Shopper, number: str) -> HttpResponse:
    token = request.POST.get("token", "")[:200]
    try:
        dependencies().orders.cancel(shopper.caller, number, token)
    except Refused as refused:
        if refused.status not in (409, 422):
            raise
        return message(
            request,
            "It is too late to cancel",
            str(refused.problem.get("detail") or "It is already on its way."),
            409,
        )
    return redirect(orders.order_url(number, token))


@page(signed_in=True)
def mine(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    found = dependencies().orders.orders(shopper.caller, request.GET.get("cursor", "")[:500])
    return render(request, "shop/orders.html", found)


def _token(request: HttpRequest) -> str:
    """Return a printable ASCII token or nothing: it becomes a header."""
    token = request.GET.get("token", "")[:200]
    return token if token.isascii() and token.isprintable() else ""
