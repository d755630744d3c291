"""Orders: a guest's by its link, an account's by sign-in."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from chassis.siblings import Refused, SiblingDown
from shop.domain import orders
from shop.sessions import Shopper
from shop.views.answers import message, parts, redirect, render
from shop.views.base import fragment, page


@page()
def detail(request: HttpRequest, shopper: Shopper, number: str) -> HttpResponse:
    token = _token(request)
    order = parts().buying.order(shopper.caller, number, token)
    context = {
        "order": order,
        "token": token,
        "placed": "placed" in request.GET,
        "signed_in": shopper.signed_in,
    }
    return render(request, "shop/order.html", context)


@fragment()
def status(request: HttpRequest, shopper: Shopper, number: str) -> HttpResponse:
    """What a waiting order's page asks every two seconds."""
    token = _token(request)
    try:
        order = parts().buying.order(shopper.caller, number, token)
    except SiblingDown:
        # 204 changes nothing on the page; it asks again.
        return HttpResponse(status=204)
    return render(request, "shop/parts/order_status.html", {"order": order, "token": token, "placed": True})


@page(methods="POST")
def cancel(request: HttpRequest, shopper: Shopper, number: str) -> HttpResponse:
    token = request.POST.get("token", "")[:200]
    try:
        parts().buying.cancel(shopper.caller, number, token)
    except Refused as no:
        if no.status not in (409, 422):
            raise
        return message(
            request,
            "It is too late to cancel",
            str(no.problem.get("detail") or "It is already on its way."),
            409,
        )
    return redirect(orders.order_url(number, token))


@page(signed_in=True)
def mine(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    found = parts().buying.orders(shopper.caller, request.GET.get("cursor", "")[:500])
    return render(request, "shop/orders.html", found)


def _token(request: HttpRequest) -> str:
    """Printable ASCII or nothing: it becomes a header."""
    token = request.GET.get("token", "")[:200]
    return token if token.isascii() and token.isprintable() else ""
