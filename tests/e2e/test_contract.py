"""The answers of the public contract as a whole: every field, by its type. Nothing but the gateway is used.

A shape is what JSON holds: a type stands for any value of it, a tuple for "one of", a list of one for a list
of at least one such, a dict for exactly these names.
"""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.client import ADDRESS, Client

pytestmark = pytest.mark.e2e

NONE = type(None)
MONEY = {"amount": int, "currency": "EUR"}
USER = {
    "id": str,
    "email": str,
    "name": "Test Buyer",
    "email_verified": False,
    "roles": ["customer"],
    "created_at": str,
}
TOKENS = {"access": str, "refresh": str, "token_type": "Bearer", "expires_in": 600}
RENDITION = {"url": str, "width": int, "height": int, "format": "webp"}
IMAGE = {"id": str, "alt": str, "renditions": [RENDITION]}
RATING = {"average": (float, NONE), "count": int}
AVAILABILITY = ("in_stock", "low", "out")
CARD = {
    "id": str,
    "slug": str,
    "title": str,
    "brand": str,
    "category": str,
    "image": (IMAGE, NONE),
    "price_from": MONEY,
    "compare_at_price": (MONEY, NONE),
    "availability": AVAILABILITY,
    "rating": RATING,
}
VARIANT = {
    "sku": str,
    "attributes": dict,
    "price": MONEY,
    "compare_at_price": (MONEY, NONE),
    "availability": AVAILABILITY,
}
PRODUCT = {
    "id": str,
    "slug": str,
    "title": str,
    "description": str,
    "brand": str,
    "category": str,
    "breadcrumbs": [{"slug": str, "title": str}],
    "variants": [VARIANT],
    "images": [IMAGE],
    "rating": RATING,
    "price_from": MONEY,
    "availability": AVAILABILITY,
    "status": "active",
}
CART_LINE = {
    "sku": str,
    "product_id": str,
    "title": str,
    "slug": str,
    "image": (IMAGE, dict, str, NONE),
    "attributes": dict,
    "unit_price": MONEY,
    "quantity": 2,
    "line_total": MONEY,
    "availability": AVAILABILITY,
    "notice": (str, NONE),
}
CART = {
    "id": str,
    "lines": [CART_LINE],
    "saved": list,
    "coupon": NONE,
    "subtotal": MONEY,
    "discount": MONEY,
    "total": MONEY,
    "count": 2,
}
TOTALS = {
    "subtotal": MONEY,
    "discount": MONEY,
    "shipping": MONEY,
    "tax": {"amount": MONEY, "rate": 0.21, "included": True},
    "taxes": [{"rate": 0.21, "base": MONEY, "amount": MONEY, "country": "BE"}],
    "total": MONEY,
}
ORDER_LINE = {name: kind for name, kind in CART_LINE.items() if name not in ("availability", "notice")}
SHOWN_ADDRESS = {**ADDRESS, "line2": "", "region": "", "phone": ""}
ORDER = {
    "number": str,
    "status": "confirmed",
    "placed_at": str,
    "email": "buyer@example.com",
    "lines": [ORDER_LINE],
    "totals": TOTALS,
    "payment": {"status": "paid", "method": "card", "last4": "4242"},
    "fulfilment": {"status": "unfulfilled", "shipments": list},
    "refunds": list,
    "timeline": [{"at": str, "what": str}],
    "shipping_method": "standard",
    "shipping_address": SHOWN_ADDRESS,
    "billing_address": NONE,
}
BECAUSE = ({"kind": str}, {"kind": str, "product_id": str, "title": str})
RECO = {
    "results": [{"product_id": str, "score": float, "reason": str, "because": BECAUSE}],
    "model": {"version": str, "algorithm": str, "trained_at": str},
}
PROBLEM = {"type": str, "title": str, "status": int, "detail": str, "request_id": str}


def fits(value: Any, shape: Any) -> bool:
    if isinstance(shape, tuple):
        return any(fits(value, one) for one in shape)
    if isinstance(shape, type):
        return type(value) is shape
    if isinstance(shape, dict):
        return type(value) is dict and value.keys() == shape.keys() and not misfits(value, shape)
    if isinstance(shape, list):
        return type(value) is list and bool(value) and all(fits(one, shape[0]) for one in value)
    return type(value) is type(shape) and bool(value == shape)


def misfits(value: dict[str, Any], shape: dict[str, Any]) -> dict[str, Any]:
    """Return the members that are too much, missing, or of another kind."""
    missing = object()
    return {
        name: value.get(name)
        for name in value.keys() | shape.keys()
        if not fits(value.get(name, missing), shape.get(name, missing))
    }


@pytest.fixture
def client(shop):
    return Client(shop.url)


@pytest.fixture(scope="module")
def card(shop):
    """Return a demo product with a picture, in stock, of one variant."""
    listing = Client(shop.url).get("/api/catalog/products?in_stock=true&limit=100").json
    # Of what other tests made there may be only one.
    goods = (one for one in listing["results"] if not one["slug"].startswith("test-"))
    return next(one for one in goods if "sku" in one and one["image"])


def test_registering_and_signing_in(client):
    made = client.register()
    me = client.get("/api/auth/me").json
    body = {"email": made["user"]["email"], "password": "a long enough sentence"}

    signed_in = client.post("/api/auth/token", body)

    assert misfits(made, {"user": USER, **TOKENS}) == {}
    assert me == made["user"]
    assert (signed_in.status, misfits(signed_in.json, TOKENS)) == (200, {})
    assert signed_in.headers["Cache-Control"] == "no-store"


def test_a_list_of_products_and_one_of_them(client, card):
    listing = client.get("/api/catalog/products?in_stock=true&limit=100").json
    one = client.get(f"/api/catalog/products/{card['slug']}")
    same = client.get(f"/api/catalog/products/{card['slug']}", If_None_Match=one.headers["ETag"])
    batch = client.get(f"/api/catalog/products?ids={card['id']}").json

    assert listing.keys() == {"results", "facets", "total", "next"}
    assert {"category", "brand", "price", "rating"} <= listing["facets"].keys()
    assert fits(listing["facets"]["category"], [{"value": str, "label": str, "count": int}])
    odd = {
        n: misfits({**CARD, "sku": None, **one}, {**CARD, "sku": (str, NONE)})
        for n, one in enumerate(listing["results"])
    }
    assert {n: what for n, what in odd.items() if what} == {}
    assert (one.status, misfits(one.json, PRODUCT)) == (200, {})
    assert (same.status, same.body) == (304, b"")
    assert [one["id"] for one in batch["results"]] == [card["id"]]


def test_a_cart_its_quote_and_its_order(client, card):
    added = client.post("/api/cart/lines", {"sku": card["sku"], "quantity": 2})
    cart = added.json
    client.cart = cart["id"]
    wanted = {"cart_id": cart["id"], "shipping_address": ADDRESS, "shipping_method": "standard"}

    quote = client.post("/api/checkout/quotes", wanted)
    key = str(uuid.uuid4())
    placed = client.order(cart_id=cart["id"], key=key, expected_total=quote.json["total"])
    again = client.order(cart_id=cart["id"], key=key, expected_total=quote.json["total"])
    number, token = placed.json["number"], placed.json["access_token"]
    read = client.get(f"/api/checkout/orders/{number}", X_Order_Token=token)
    strange = client.get(f"/api/checkout/orders/{number}")

    assert (added.status, misfits(cart, CART)) == (201, {})
    assert added.headers["X-Cart-Id"] == cart["id"]
    assert (quote.status, misfits(quote.json, TOTALS)) == (200, {})
    assert (placed.status, misfits(placed.json, {**ORDER, "access_token": str})) == (201, {})
    assert placed.json["totals"] == quote.json
    assert "Idempotent-Replay" not in placed.headers
    assert (again.status, again.json, again.headers["Idempotent-Replay"]) == (201, placed.json, "true")
    assert (read.status, misfits(read.json, ORDER)) == (200, {})
    assert read.headers["Cache-Control"] == "no-store"
    assert (strange.status, misfits(strange.json, PROBLEM)) == (404, {})


def test_events_are_taken_one_by_one(client, card):
    events = [
        {"type": "view", "product_id": card["id"]},
        {"type": "purchase", "product_id": card["id"]},
        {"type": "search", "user": "somebody else"},
    ]

    answer = client.post("/api/logs/events", events)

    assert answer.status == 202
    assert answer.json["accepted"] == 1
    assert fits(answer.json["rejected"], [{"index": int, "reason": str}])
    assert [one["index"] for one in answer.json["rejected"]] == [1, 2]


def test_lists_of_what_to_show_next(client, card):
    shelf = next(top for top in client.get("/api/catalog/categories").json if top["children"])["slug"]
    paths = (
        f"similar/{card['id']}",
        f"together?ids={card['id']}",
        "for-you",
        "trending",
        f"trending?category={shelf}",
    )

    answers = {path: client.get(f"/api/reco/{path}").json for path in paths}

    assert {path: misfits(answer, RECO) for path, answer in answers.items()} == {path: {} for path in paths}


def test_the_health_of_the_shop(client):
    answer = client.get("/healthz")

    services = ("auth", "catalog", "cart", "checkout", "logs", "reco", "storefront")
    assert answer.json == {"status": "ok", "services": dict.fromkeys(services, "ok")}


def test_what_is_not_for_outside_is_not_there(client):
    names = ("auth", "catalog", "cart", "checkout", "logs", "reco")
    closed = [
        f"/api/{name}/{path}" for name in names for path in ("internal/events", "livez", "readyz", "metrics")
    ]

    answers = {path: client.get(path, X_Request_ID="a-test") for path in (*closed, "/internal/x", "/metrics")}

    odd = {
        path: misfits(answer.json, {**PROBLEM, "status": 404, "request_id": "a-test"})
        for path, answer in answers.items()
    }
    assert {path: what for path, what in odd.items() if what} == {}
    assert {answer.headers["X-Request-ID"] for answer in answers.values()} == {"a-test"}
