"""Checkout on one page, for guests and accounts alike."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from chassis.clients import ServiceUnavailable
from shop.clients import Json
from shop.domain import checkout as checkouts
from shop.domain import orders
from shop.domain.checkout import EMPTY, OrderRejection
from shop.domain.outages import whole_seconds
from shop.forms import CheckoutForm
from shop.services.orders import new_idempotency_key
from shop.sessions import Shopper
from shop.views.base import fragment, page
from shop.views.cart import merge_guest_cart
from shop.views.responses import (
    account_cart_hidden,
    dependencies,
    describe_outage,
    message,
    redirect,
    render,
    set_retry_after,
    unavailable,
)


@page(methods="GET HEAD POST")
def checkout(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    merge_guest_cart(shopper)
    cart = dependencies().orders.cart(shopper.caller)
    if not cart["lines"] and shopper.account_hidden:
        return account_cart_hidden(request, shopper)
    if not cart["lines"] and (request.method != "POST" or "update" in request.POST):
        return redirect("/cart")
    if request.method != "POST":
        return _checkout_page(
            request, shopper, cart, CheckoutForm(initial=_prefill(shopper)), new_idempotency_key()
        )
    form = CheckoutForm(request.POST)
    if "update" in request.POST:
        return _update_totals(request, shopper, cart, form)
    if not form.is_valid():
        mistakes = OrderRejection("Please check the marked fields", new_key=False, status=400)
        return _checkout_page(request, shopper, cart, form, _key(request), mistakes)
    # Also with an empty cart: a repeated request finds the first one's order by its key.
    placed = dependencies().orders.place(shopper.caller, cart, form.cleaned_data)
    if isinstance(placed, OrderRejection):
        return _rejected(request, shopper, form, placed)
    return redirect(orders.order_url(placed.number, placed.token, placed="1"))


def _update_totals(request: HttpRequest, shopper: Shopper, cart: Json, form: CheckoutForm) -> HttpResponse:
    """Render the page with the current figures and no validation messages, without JavaScript."""
    fresh = CheckoutForm(initial=form.values())
    return _checkout_page(request, shopper, cart, fresh, _key(request))


def _rejected(
    request: HttpRequest, shopper: Shopper, form: CheckoutForm, refusal: OrderRejection
) -> HttpResponse:
    """Render the page again with everything that was typed.

    Prices and stock may have changed, so the cart is read again.
    """
    cart = dependencies().orders.cart(shopper.caller)
    rest = form.add_errors(refusal.fields)
    if rest and not refusal.text:
        refusal = OrderRejection(
            refusal.title, " ".join(rest), new_key=refusal.new_key, status=refusal.status
        )
    key = new_idempotency_key() if refusal.new_key else _key(request)
    return _checkout_page(request, shopper, cart, form, key, refusal)


def _checkout_page(
    request: HttpRequest,
    shopper: Shopper,
    cart: Json,
    form: CheckoutForm,
    key: str,
    refusal: OrderRejection | None = None,
) -> HttpResponse:
    values = form.values()
    try:
        summary = _summary(shopper, cart, values)
    except ServiceUnavailable as down:
        if refusal is None:
            return unavailable(request, down)
        # Keep the form: what was typed must not be lost because the figures are unavailable.
        summary = {"methods": [], "totals": None, "payable": True}
    context: dict[str, Any] = {
        "form": form,
        "cart": cart,
        "key": key,
        "refusal": refusal,
        "signed_in": shopper.signed_in,
        "cards": checkouts.present_test_cards(str(values.get("card") or "tok_ok")),
        "other_billing": bool(values.get("other_billing")),
        "kept_method": values.get("shipping_method") or "",
    }
    response = render(request, "shop/checkout.html", context | summary, refusal.status if refusal else 200)
    return set_retry_after(response, whole_seconds(refusal.retry_after if refusal else None))


def _summary(shopper: Shopper, cart: Json, values: dict[str, Any]) -> dict[str, Any]:
    service, caller = dependencies().orders, shopper.caller
    methods = service.methods(
        caller, str(values.get("country") or "BE"), str(values.get("shipping_method") or "")
    )
    totals = service.totals(caller, cart, methods, values)
    return {"methods": methods, "totals": totals, "payable": service.accepts_payments(caller)}


@fragment(methods="POST")
def summary(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    """Render delivery methods and figures again, while the form is being filled in."""
    cart = dependencies().orders.cart(shopper.caller)
    if not cart["lines"] and shopper.account_hidden:
        return account_cart_hidden(request, shopper)
    if not cart["lines"]:
        return message(request, *EMPTY, 409)
    try:
        found = _summary(shopper, cart, CheckoutForm(request.POST).values())
    except ServiceUnavailable as down:
        outage = describe_outage(down)
        text = f"{outage.text} Nothing you typed is lost. The total is checked again before you pay."
        return message(request, outage.title, text, outage.status, retry_after=outage.retry_after)
    return render(request, "shop/parts/summary_answer.html", {"cart": cart, **found})


def _prefill(shopper: Shopper) -> dict[str, str]:
    """Return the fields that the account knows already."""
    if not shopper.signed_in:
        return {}
    return dependencies().accounts.prefill(shopper.caller)


def _key(request: HttpRequest) -> str:
    return request.POST.get("key", "")[:255] or new_idempotency_key()
