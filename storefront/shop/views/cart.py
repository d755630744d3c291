"""Cart page, its forms, and the header with the count."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from chassis.clients import Refused, ServiceUnavailable, Throttled
from shop.clients import Caller, Json
from shop.domain import cart as carts
from shop.sessions import Shopper
from shop.views.base import fragment, page
from shop.views.responses import (
    account_cart_hidden,
    dependencies,
    describe_outage,
    is_htmx,
    redirect,
    render,
    safe_next,
    set_retry_after,
)

_UNKNOWN = "Sorry, this is no longer sold."


@page()
def show(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    merge_guest_cart(shopper)
    cart = dependencies().orders.cart(shopper.caller)
    if shopper.account_hidden and not cart["lines"] and not cart["saved"]:
        return account_cart_hidden(request, shopper)
    return render(request, "shop/cart.html", {"cart": cart, "account_hidden": shopper.account_hidden})


@fragment()
def header(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    """Render name and badge; the badge is "–" while the cart is unavailable."""
    return render(
        request,
        "shop/parts/header.html",
        {
            "name": shopper.name,
            "known": shopper.signed_in or shopper.session_unknown,
            "count": _count(shopper),
        },
    )


def _count(shopper: Shopper) -> str:
    try:
        count = dependencies().orders.count(shopper.caller)
    except ServiceUnavailable:
        return "–"
    except Refused as refused:
        if refused.status == 401 and shopper.signed_in:
            raise  # retried with a new token
        return ""
    return str(count or ("–" if shopper.account_hidden else ""))


@page(methods="POST")
def add(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    """Add a product from its page or card.

    With JavaScript the response is one sentence and the new badge.
    """
    quantity = carts.parse_quantity(request.POST.get("quantity", "1")) or 1
    key = request.headers.get("Idempotency-Key", "")[:255]
    sku = request.POST.get("sku", "")
    try:
        cart = dependencies().orders.add(shopper.caller, sku, quantity, key)
    except Throttled as limit:
        outage = describe_outage(limit)
        return set_retry_after(_not_added(request, outage.sentence, status=429), outage.retry_after)
    except ServiceUnavailable as down:
        text = "We cannot reach your cart just now. Nothing is lost; please try again in a minute."
        return set_retry_after(
            _not_added(request, text, status=503, retry=True), describe_outage(down).retry_after
        )
    except Refused as refused:
        if refused.status == 401 and shopper.signed_in:
            raise
        return _not_added(request, _explain(refused), status=refused.status)
    shopper.remember_cart(cart["id"])
    if not is_htmx(request):
        return redirect("/cart")
    line = next((line for line in cart["lines"] if line["sku"] == sku), None)
    return render(request, "shop/parts/added.html", {"line": line, "cart": cart, "count": str(cart["count"])})


def _not_added(request: HttpRequest, text: str, *, status: int, retry: bool = False) -> HttpResponse:
    context = {"title": "Not in your cart yet", "text": text, "retry": retry, "back": safe_next(request)}
    template = "shop/parts/not_added.html" if is_htmx(request) else "shop/message.html"
    return render(request, template, context, status)


def _explain(refused: Refused) -> str:
    kind = refused.type
    if "stock" in kind:
        return "Sorry, there is not enough of it left."
    if refused.status == 404 or "unknown" in kind:
        return _UNKNOWN
    return str(refused.problem.get("detail") or "Please check the number and try again.")


@page(methods="POST")
def change(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    """Handle every button of the cart page: `do` names the action, `sku` the line."""
    do, sku = request.POST.get("do", "set"), request.POST.get("sku", "")
    service, caller = dependencies().orders, shopper.caller
    actions: dict[str, Callable[[], Json]] = {
        "set": lambda: _set(caller, sku, request.POST.get("to") or request.POST.get("quantity", "")),
        "remove": lambda: service.remove(caller, sku),
        "save": lambda: service.save(caller, sku),
        "restore": lambda: service.restore(caller, sku),
        "coupon": lambda: service.coupon(caller, request.POST.get("code", "").strip()[:64]),
        "drop_coupon": lambda: service.drop_coupon(caller),
    }
    problem = ""
    try:
        cart = actions.get(do, lambda: service.cart(caller))()
    except Refused as refused:
        if refused.status == 401 or shopper.account_hidden:
            raise
        problem, cart = _explain_change(do, refused), service.cart(caller)
    if not is_htmx(request) and not problem:
        return redirect("/cart")
    template = "shop/parts/cart_answer.html" if is_htmx(request) else "shop/cart.html"
    context = {
        "cart": cart,
        "problem": problem,
        "said": "" if problem else _CONFIRMATIONS.get(do, ""),
        "count": str(cart["count"] or ""),
    }
    return render(request, template, context)


_CONFIRMATIONS = {
    "set": "Your cart is up to date.",
    "remove": "Removed from your cart.",
    "save": "Saved for later.",
    "restore": "Back in your cart.",
    "coupon": "Coupon applied.",
    "drop_coupon": "Coupon removed.",
}


def _set(caller: Caller, sku: str, text: str) -> Json:
    wanted = carts.parse_quantity(text)
    if wanted is None:
        raise Refused("cart", 400, {"detail": f"Please choose a number from 0 to {carts.MAX_QUANTITY}."})
    return dependencies().orders.change(caller, sku, wanted)


def _explain_change(do: str, refused: Refused) -> str:
    if do == "coupon":
        return str(refused.problem.get("detail") or "This coupon does not work here.")
    if refused.status == 404:
        return "That was already removed from your cart."
    return _explain(refused)


def merge_guest_cart(shopper: Shopper) -> None:
    """Merge a guest's cart into the account's after sign-in; the next cart page retries."""
    guest_cart = shopper.get("cart")
    if (
        shopper.signed_in
        and guest_cart
        and dependencies().accounts.merge_guest_cart(shopper.caller, guest_cart)
    ):
        shopper.drop("cart")
