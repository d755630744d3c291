"""Browsing to a paid order through the gateway, by HTTP alone."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.client import ADDRESS, Client

pytestmark = pytest.mark.e2e


def test_a_new_customer_registers_searches_fills_a_cart_and_orders(shop):
    buyer = Client(shop.url)
    account = buyer.register()
    found = buyer.get("/api/catalog/products?q=guitar").json["results"][0]
    cart = buyer.add(found["sku"], 2)
    quote = buyer.post(
        "/api/checkout/quotes",
        {"cart_id": cart["id"], "shipping_address": ADDRESS, "shipping_method": "standard"},
    )

    order = buyer.order(cart_id=cart["id"], expected_total=quote.json["total"])

    assert quote.status == 200
    assert order.status == 201, order.body
    assert order.json["status"] == "confirmed"
    assert order.json["payment"]["status"] == "paid"
    assert order.json["totals"] == quote.json
    mine = buyer.get("/api/checkout/orders").json["results"]
    assert [one["number"] for one in mine] == [order.json["number"]]
    assert account["token_type"] == "Bearer"


def test_the_same_key_again_gives_the_same_answer_and_one_order(shop):
    buyer = Client(shop.url)
    _, sku = shop.staff().product(on_hand=5)
    key = str(uuid.uuid4())
    lines = [{"sku": sku, "quantity": 1}]

    first = buyer.order(lines=lines, key=key)
    second = buyer.order(lines=lines, key=key)
    other = buyer.order(lines=[{"sku": sku, "quantity": 2}], key=key)

    assert (first.status, second.status, other.status) == (201, 201, 422)
    assert second.json == first.json
    assert second.headers["Idempotent-Replay"] == "true"
    assert shop.staff().on_hand(sku)["on_hand"] == 4


def test_a_declined_card_is_told_and_the_stock_is_back(shop):
    buyer = Client(shop.url)
    _, sku = shop.staff().product(on_hand=1)
    cart = buyer.add(sku)

    declined = buyer.order(cart_id=cart["id"], card="tok_declined")
    again = buyer.order(cart_id=cart["id"], card="tok_ok")

    assert declined.status == 402
    assert declined.json["type"].endswith("payment-refused")
    assert again.status == 201, again.body


def test_twelve_buyers_at_once_for_a_stock_of_three_buy_exactly_three(shop):
    _, sku = shop.staff().product(on_hand=3)

    def buy(_: int) -> int:
        return Client(shop.url).order(lines=[{"sku": sku, "quantity": 1}]).status

    with ThreadPoolExecutor(12) as crowd:
        statuses = sorted(crowd.map(buy, range(12)))

    assert statuses == [201] * 3 + [409] * 9
    assert shop.staff().on_hand(sku)["on_hand"] == 0


def test_a_guest_sees_the_order_with_its_token_and_nobody_without(shop):
    guest, stranger = Client(shop.url), Client(shop.url)
    _, sku = shop.staff().product(on_hand=1)
    order = guest.order(lines=[{"sku": sku, "quantity": 1}]).json
    path = f"/api/checkout/orders/{order['number']}"

    assert guest.get(path, X_Order_Token=order["access_token"]).status == 200
    assert stranger.get(path).status == 404
    stranger.register()
    assert stranger.get(path).status == 404


def test_a_cancelled_order_gives_stock_and_money_back(shop):
    buyer = Client(shop.url)
    buyer.register()
    _, sku = shop.staff().product(on_hand=2)
    order = buyer.order(lines=[{"sku": sku, "quantity": 2}]).json

    cancelled = buyer.post(f"/api/checkout/orders/{order['number']}/cancel", {})

    assert cancelled.status == 200, cancelled.body
    assert cancelled.json["status"] == "cancelled"
    assert cancelled.json["payment"]["status"] == "refunded"
    assert shop.staff().on_hand(sku) == {
        "sku": sku,
        "on_hand": 2,
        "reserved": 0,
        "available": 2,
        "availability": "low",
    }


@pytest.mark.parametrize(
    "path",
    ["/internal/skus", "/livez", "/readyz", "/metrics", "/api/catalog/internal/skus", "/api/cart/metrics"],
)
def test_what_is_internal_is_not_found_from_outside(shop, path):
    answer = Client(shop.url).get(path)

    assert answer.status == 404
    assert answer.headers["Content-Type"].startswith("application/problem+json")


def test_the_shop_says_how_each_service_is(shop):
    answer = Client(shop.url).get("/healthz")

    assert answer.json["status"] == "ok"
    assert {"auth", "catalog", "cart", "checkout", "logs", "reco"} <= set(answer.json["services"])
