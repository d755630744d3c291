"""Checkout on one page, for guests and accounts alike."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from chassis.siblings import SiblingDown
from shop.clients import Json
from shop.domain import checkout as checkouts
from shop.domain import orders
from shop.domain.checkout import EMPTY, Refusal
from shop.domain.outages import whole_seconds
from shop.forms import CheckoutForm
from shop.services.buying import new_key
from shop.sessions import Shopper
from shop.views.answers import away, cart_apart, message, outage, parts, pausing, redirect, render
from shop.views.base import fragment, page
from shop.views.cart import adopt


@page(methods="GET HEAD POST")
def checkout(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    adopt(shopper)
    cart = parts().buying.cart(shopper.caller)
    if not cart["lines"] and shopper.apart:
        return cart_apart(request, shopper)
    if not cart["lines"] and (request.method != "POST" or "update" in request.POST):
        return redirect("/cart")
    if request.method != "POST":
        return _page(request, shopper, cart, CheckoutForm(initial=_known(shopper)), new_key())
    form = CheckoutForm(request.POST)
    if "update" in request.POST:
        return _updated(request, shopper, cart, form)
    if not form.is_valid():
        mistakes = Refusal("Please check the marked fields", new_key=False, status=400)
        return _page(request, shopper, cart, form, _key(request), mistakes)
    # Also with an empty cart: a second press finds the order of the first under its key.
    placed = parts().buying.place(shopper.caller, cart, form.cleaned_data)
    if isinstance(placed, Refusal):
        return _refused(request, shopper, form, placed)
    return redirect(orders.order_url(placed.number, placed.token, placed="1"))


def _updated(request: HttpRequest, shopper: Shopper, cart: Json, form: CheckoutForm) -> HttpResponse:
    """Without JavaScript: the same page with the figures of what is filled in so far, and no complaints
    yet."""
    fresh = CheckoutForm(initial=form.values())
    return _page(request, shopper, cart, fresh, _key(request))


def _refused(request: HttpRequest, shopper: Shopper, form: CheckoutForm, refusal: Refusal) -> HttpResponse:
    """The page again with everything that was typed; prices and stock may have moved, so the cart is read
    again."""
    cart = parts().buying.cart(shopper.caller)
    rest = form.refuse(refusal.fields)
    if rest and not refusal.text:
        refusal = Refusal(refusal.title, " ".join(rest), new_key=refusal.new_key, status=refusal.status)
    key = new_key() if refusal.new_key else _key(request)
    return _page(request, shopper, cart, form, key, refusal)


def _page(
    request: HttpRequest,
    shopper: Shopper,
    cart: Json,
    form: CheckoutForm,
    key: str,
    refusal: Refusal | None = None,
) -> HttpResponse:
    values = form.values()
    try:
        summary = _summary(shopper, cart, values)
    except SiblingDown as down:
        if refusal is None:
            return away(request, down)
        # The form stays on the screen: what was typed must not be lost because the figures cannot be had.
        summary = {"methods": [], "totals": None, "payable": True}
    context: dict[str, Any] = {
        "form": form,
        "cart": cart,
        "key": key,
        "refusal": refusal,
        "signed_in": shopper.signed_in,
        "cards": checkouts.cards(str(values.get("card") or "tok_ok")),
        "other_billing": bool(values.get("other_billing")),
        "kept_method": values.get("shipping_method") or "",
    }
    response = render(request, "shop/checkout.html", context | summary, refusal.status if refusal else 200)
    return pausing(response, whole_seconds(refusal.retry_after if refusal else None))


def _summary(shopper: Shopper, cart: Json, values: dict[str, Any]) -> dict[str, Any]:
    buying, who = parts().buying, shopper.caller
    methods = buying.methods(
        who, str(values.get("country") or "BE"), str(values.get("shipping_method") or "")
    )
    totals = buying.totals(who, cart, methods, values)
    return {"methods": methods, "totals": totals, "payable": buying.payable(who)}


@fragment(methods="POST")
def summary(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    """Delivery choices and figures again, while the form is being filled in."""
    cart = parts().buying.cart(shopper.caller)
    if not cart["lines"] and shopper.apart:
        return cart_apart(request, shopper)
    if not cart["lines"]:
        return message(request, *EMPTY, 409)
    try:
        found = _summary(shopper, cart, CheckoutForm(request.POST).values())
    except SiblingDown as down:
        said = outage(down)
        text = f"{said.text} Nothing you typed is lost. The total is checked again before you pay."
        return message(request, said.title, text, said.status, retry_after=said.retry_after)
    return render(request, "shop/parts/summary_answer.html", {"cart": cart, **found})


def _known(shopper: Shopper) -> dict[str, str]:
    """What the account already tells, so that it need not be typed."""
    if not shopper.signed_in:
        return {}
    return parts().people.prefill(shopper.caller)


def _key(request: HttpRequest) -> str:
    return request.POST.get("key", "")[:255] or new_key()
