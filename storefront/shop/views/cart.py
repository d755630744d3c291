"""The cart's page, its forms, and the header that shows its count."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from chassis.siblings import Refused, SiblingDown, Throttled
from shop.clients import Caller, Json
from shop.domain import cart as carts
from shop.sessions import Shopper
from shop.views.answers import cart_apart, is_htmx, outage, parts, pausing, redirect, render, safe_next
from shop.views.base import fragment, page

_UNKNOWN = "Sorry, this is no longer sold."


@page()
def show(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    adopt(shopper)
    cart = parts().buying.cart(shopper.caller)
    if shopper.apart and not cart["lines"] and not cart["saved"]:
        return cart_apart(request, shopper)
    return render(request, "shop/cart.html", {"cart": cart, "apart": shopper.apart})


@fragment()
def header(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    """Name and badge; "–" while the cart is away."""
    return render(
        request,
        "shop/parts/header.html",
        {"name": shopper.name, "known": shopper.signed_in or shopper.unsure, "count": _count(shopper)},
    )


def _count(shopper: Shopper) -> str:
    try:
        count = parts().buying.count(shopper.caller)
    except SiblingDown:
        return "–"
    except Refused as no:
        if no.status == 401 and shopper.signed_in:
            raise  # to be asked again with a new token
        return ""
    return str(count or ("–" if shopper.apart else ""))


@page(methods="POST")
def add(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    """From a product's page or a tile. The answer of a page with JavaScript is one sentence and the new
    badge."""
    quantity = carts.quantity(request.POST.get("quantity", "1")) or 1
    key = request.headers.get("Idempotency-Key", "")[:255]
    sku = request.POST.get("sku", "")
    try:
        cart = parts().buying.add(shopper.caller, sku, quantity, key)
    except Throttled as limit:
        said = outage(limit)
        return pausing(_said(request, said.sentence, status=429), said.retry_after)
    except SiblingDown as down:
        text = "We cannot reach your cart just now. Nothing is lost; please try again in a minute."
        return pausing(_said(request, text, status=503, retry=True), outage(down).retry_after)
    except Refused as no:
        if no.status == 401 and shopper.signed_in:
            raise
        return _said(request, _why(no), status=no.status)
    shopper.keep_cart(cart["id"])
    if not is_htmx(request):
        return redirect("/cart")
    line = next((line for line in cart["lines"] if line["sku"] == sku), None)
    return render(request, "shop/parts/added.html", {"line": line, "cart": cart, "count": str(cart["count"])})


def _said(request: HttpRequest, text: str, *, status: int, retry: bool = False) -> HttpResponse:
    context = {"title": "Not in your cart yet", "text": text, "retry": retry, "back": safe_next(request)}
    template = "shop/parts/not_added.html" if is_htmx(request) else "shop/message.html"
    return render(request, template, context, status)


def _why(no: Refused) -> str:
    kind = no.type
    if "stock" in kind:
        return "Sorry, there is not enough of it left."
    if no.status == 404 or "unknown" in kind:
        return _UNKNOWN
    return str(no.problem.get("detail") or "Please check the number and try again.")


@page(methods="POST")
def change(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    """Every button of the cart's page: `do` says which, `sku` for what."""
    do, sku = request.POST.get("do", "set"), request.POST.get("sku", "")
    buying, who = parts().buying, shopper.caller
    actions: dict[str, Callable[[], Json]] = {
        "set": lambda: _set(who, sku, request.POST.get("to") or request.POST.get("quantity", "")),
        "remove": lambda: buying.remove(who, sku),
        "save": lambda: buying.save(who, sku),
        "restore": lambda: buying.restore(who, sku),
        "coupon": lambda: buying.coupon(who, request.POST.get("code", "").strip()[:64]),
        "drop_coupon": lambda: buying.drop_coupon(who),
    }
    problem = ""
    try:
        cart = actions.get(do, lambda: buying.cart(who))()
    except Refused as no:
        if no.status == 401 or shopper.apart:
            raise
        problem, cart = _reason(do, no), buying.cart(who)
    if not is_htmx(request) and not problem:
        return redirect("/cart")
    template = "shop/parts/cart_answer.html" if is_htmx(request) else "shop/cart.html"
    context = {
        "cart": cart,
        "problem": problem,
        "said": "" if problem else _DONE.get(do, ""),
        "count": str(cart["count"] or ""),
    }
    return render(request, template, context)


_DONE = {
    "set": "Your cart is up to date.",
    "remove": "Taken out of your cart.",
    "save": "Kept for later.",
    "restore": "Back in your cart.",
    "coupon": "The coupon is in.",
    "drop_coupon": "The coupon is off.",
}


def _set(who: Caller, sku: str, text: str) -> Json:
    wanted = carts.quantity(text)
    if wanted is None:
        raise Refused("cart", 400, {"detail": f"Please choose a number from 0 to {carts.MAX_QUANTITY}."})
    return parts().buying.change(who, sku, wanted)


def _reason(do: str, no: Refused) -> str:
    if do == "coupon":
        return str(no.problem.get("detail") or "This coupon does not work here.")
    if no.status == 404:
        return "That was already out of your cart."
    return _why(no)


def adopt(shopper: Shopper) -> None:
    """A guest's cart goes into the account's once someone is signed in; tried again with the next cart
    page."""
    guest_cart = shopper.get("cart")
    if shopper.signed_in and guest_cart and parts().people.adopt(shopper.caller, guest_cart):
        shopper.drop("cart")
