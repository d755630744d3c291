"""Public pages: home, category, search and product, the same for everyone and cacheable."""

from __future__ import annotations

import re

from django.http import Http404, HttpRequest, HttpResponse

from shop.domain import menu
from shop.domain.listing import ListingQuery
from shop.services.shelves import Shelf
from shop.sessions import Shopper
from shop.views.base import fragment, page
from shop.views.responses import dependencies, redirect, render, safe_next

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")


@page(cacheable=True)
def home(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    return render(request, "shop/home.html", {"shelves": dependencies().catalog.home()})


@page(cacheable=True)
def category(request: HttpRequest, shopper: Shopper, slug: str) -> HttpResponse:
    trail = menu.find_trail(dependencies().catalog.menu(), slug)
    query = ListingQuery.parse(request.path, _items(request), slug)
    found = dependencies().catalog.listing(query)
    if not trail and not found["total"]:
        raise Http404
    title = trail[-1]["title"] if trail else slug.replace("-", " ").capitalize()
    context = {
        "list": found,
        "title": title,
        "trail": trail,
        "children": trail[-1]["children"] if trail else [],
    }
    return render(request, "shop/list.html", context)


@page(cacheable=True)
def search(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    query = ListingQuery.parse(request.path, _items(request))
    found = dependencies().catalog.listing(query)
    title = f"Results for “{query.query}”" if query.query else "Everything in the shop"
    return render(
        request, "shop/list.html", {"list": found, "title": title, "query": query.query, "trail": []}
    )


@page(cacheable=True)
def product(request: HttpRequest, shopper: Shopper, slug: str) -> HttpResponse:
    shown, data = dependencies().catalog.product(slug, request.GET.get("sku", ""))
    shelves = dependencies().shelves.related(shown)
    return render(
        request, "shop/product.html", {"product": shown, "structured_data": data, "shelves": shelves}
    )


@fragment(cacheable=True)
def suggest(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    words = request.GET.get("q", "").replace("\x00", "").strip()[:80]
    return render(
        request, "shop/parts/suggest.html", {"words": words, **dependencies().catalog.suggest(words)}
    )


@fragment()
def for_you(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    """Render personal shelves for shoppers who are signed in or have consented."""
    known = shopper.signed_in or shopper.consented
    return _shelves(request, dependencies().shelves.personal(shopper.caller) if known else [])


@fragment()
def cart_shelf(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    """Render products that go well with those in the cart, which the page names."""
    ids = [one for one in request.GET.get("ids", "").split(",") if _ID.match(one)][:50]
    return _shelves(request, dependencies().shelves.with_cart(ids))


@fragment(cacheable=True)
def trending_shelf(request: HttpRequest, shopper: Shopper, slug: str) -> HttpResponse:
    """Render trending products of one category."""
    trail = menu.find_trail(dependencies().catalog.menu(), slug)
    return _shelves(
        request, dependencies().shelves.trending_in_category(slug, trail[-1]["title"]) if trail else []
    )


@page(methods="POST")
def forget(request: HttpRequest, shopper: Shopper) -> HttpResponse:
    """Reset the recommendations of this browser and account, and its session id."""
    if shopper.signed_in or shopper.consented:
        dependencies().shelves.forget(shopper.caller)
    shopper.reset_session_id()
    return redirect(safe_next(request))


def _shelves(request: HttpRequest, shelves: list[Shelf]) -> HttpResponse:
    return render(request, "shop/parts/shelves.html", {"shelves": shelves})


def _items(request: HttpRequest) -> list[tuple[str, str]]:
    return [(name, value) for name, values in request.GET.lists() for value in values]
