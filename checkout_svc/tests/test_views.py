"""Tests of the API: placing orders, and complete responses."""

from __future__ import annotations

import json

import pytest

from chassis.testing.bad_input import assert_problem
from chassis.testing.identity import staff
from chassis.testing.permissions import assert_every_view_declares_permissions
from tests.requests import ADDRESS, BODY, QUOTE, TOTALS, URL, WRITER, eur, paying, post


def test_every_view_declares_permissions():
    assert_every_view_declares_permissions()


# -- before the order ------------------------------------------------------------------------------


def test_shipping_methods_of_a_country(client):
    response = client.get("/api/checkout/shipping-methods?country=BE")

    assert response.status_code == 200
    assert response.json() == {
        "results": [
            {
                "code": "standard",
                "name": "Standard delivery",
                "price": eur(495),
                "min_days": 1,
                "max_days": 3,
            },
            {"code": "express", "name": "Express delivery", "price": eur(995), "min_days": 1, "max_days": 1},
        ]
    }


@pytest.mark.parametrize(
    "query", ["", "?country=", "?country=be", "?country=XX", "?country=BE&x=1", "?country=BE&country=NL"]
)
def test_shipping_methods_of_nowhere_are_a_bad_request(client, query):
    assert_problem(client.get(f"/api/checkout/shipping-methods{query}"), 400)


def test_a_quote_shows_what_an_order_would_cost(client):
    response = post(client, QUOTE, key=None, url="/api/checkout/quotes")

    assert (response.status_code, response.json()) == (200, TOTALS)


def test_a_quote_needs_no_more_of_the_address_than_the_country(client):
    response = post(
        client, {**QUOTE, "shipping_address": {"country": "US"}}, key=None, url="/api/checkout/quotes"
    )

    assert response.json()["total"] == eur(3995)


def test_a_quote_of_a_cart(client, shop):
    cart = shop.fill_cart({"TEA": 2})
    body = {"cart_id": cart, "shipping_address": ADDRESS, "shipping_method": "standard"}

    assert post(client, body, key=None, url="/api/checkout/quotes").json() == TOTALS


@pytest.mark.parametrize(
    ("change", "status", "type"),
    [
        ({"lines": [{"sku": "NOPE", "quantity": 1}]}, 422, "unknown-sku"),
        ({"lines": [{"sku": "{'$gt': 1}", "quantity": 1}]}, 422, "unknown-sku"),
        ({"shipping_method": "teleport"}, 422, "unknown-shipping-method"),
        ({"coupon": "SAVE99"}, 422, "unknown-coupon"),
        ({"lines": []}, 400, "invalid"),
        ({"lines": [{"sku": "TEA", "quantity": 1}] * 2}, 400, "invalid"),
        ({"cart_id": "c"}, 400, "invalid"),
        ({"shipping_address": {}}, 400, "invalid"),
        ({"lines": [{"sku": f"S{n}", "quantity": 1} for n in range(101)]}, 400, "invalid"),
    ],
)
def test_a_quote_that_cannot_be_made(client, change, status, type):
    problem = assert_problem(post(client, {**QUOTE, **change}, key=None, url="/api/checkout/quotes"), status)

    assert problem["type"] == type


# -- placing ---------------------------------------------------------------------------------------


def test_a_guests_order_is_confirmed_and_can_be_read_with_its_token(client, shop):
    response = post(client)

    body = response.json()
    number, token, at = body["number"], body.pop("access_token"), body["placed_at"]
    assert response.status_code == 201
    assert response["Location"] == f"{URL}/{number}"
    assert "Idempotent-Replay" not in response
    assert body == {
        "number": number,
        "status": "confirmed",
        "placed_at": "2025-06-01T12:00:00.000Z",
        "email": "ada@example.com",
        "lines": [
            {
                "sku": "TEA",
                "product_id": "p-TEA",
                "title": "Tea",
                "slug": "tea",
                "image": None,
                "attributes": {},
                "quantity": 2,
                "unit_price": eur(1000),
                "line_total": eur(2000),
            }
        ],
        "totals": TOTALS,
        "payment": {"status": "paid", "method": "card", "last4": "4242"},
        "fulfilment": {"status": "unfulfilled", "shipments": []},
        "refunds": [],
        "timeline": [{"at": at, "what": "placed"}, {"at": at, "what": "confirmed"}],
        "shipping_method": "standard",
        "shipping_address": {**ADDRESS, "line2": "", "region": "", "phone": ""},
        "billing_address": None,
    }
    assert client.get(f"{URL}/{number}", headers={"X-Order-Token": token}).json() == body


def test_the_same_request_again_gets_the_identical_answer(client):
    first = post(client)

    again = post(client)

    assert (again.status_code, again["Idempotent-Replay"]) == (201, "true")
    assert again.json() == first.json()


def test_a_replay_shows_the_order_as_it_was_even_after_it_was_sent(client, shop):
    first = post(client)
    number = first.json()["number"]
    post(
        client,
        {"carrier": "bpost", "tracking": "1"},
        url=f"{URL}/{number}/shipments",
        key=None,
        **staff(WRITER),
    )

    assert post(client).json() == first.json()


def test_a_key_used_for_another_body_is_refused(client):
    post(client)

    problem = assert_problem(post(client, paying("tok_declined")), 422)

    assert problem["type"] == "idempotency-key-reused"


@pytest.mark.parametrize("key", [None, "", " ", "a b", "x" * 256, "ü"])
def test_an_order_requires_a_valid_key(client, shop, key):
    headers = {} if key is None else {"Idempotency-Key": key}

    problem = assert_problem(client.post(URL, json.dumps(BODY), "application/json", headers=headers), 400)

    assert "Idempotency-Key" in problem["errors"]
    assert shop.orders.count() == 0


def test_a_refused_payment_is_402_and_replays_as_402(client):
    first, again = post(client, paying("tok_declined")), post(client, paying("tok_declined"))

    problem = assert_problem(first, 402)
    assert (problem["type"], problem["code"]) == ("payment-refused", "card_declined")
    assert again["Idempotent-Replay"] == "true"
    assert {**assert_problem(again, 402), "request_id": ""} == {**problem, "request_id": ""}


def test_an_out_of_stock_order_is_409_with_the_available_units(client):
    problem = assert_problem(post(client, {**BODY, "lines": [{"sku": "TEA", "quantity": 99}]}), 409)

    assert (problem["type"], problem["short"]) == ("out-of-stock", [{"sku": "TEA", "available": 10}])


def test_a_total_that_changed_is_422_with_the_new_one(client):
    problem = assert_problem(post(client, {**BODY, "expected_total": eur(2494)}), 422)

    assert (problem["type"], problem["totals"]) == ("total-changed", TOTALS)
    assert post(client, {**BODY, "expected_total": eur(2495)}, key="key-2").status_code == 201


def test_an_open_payment_is_202_with_the_url_of_the_payment_page(client, shop):
    response = post(client, paying("tok_requires_action"))

    body = response.json()
    assert (response.status_code, body["status"], body["payment"]["status"]) == (
        202,
        "pending",
        "requires_action",
    )
    url = body["payment"]["next_action"]["url"].removeprefix("http://localhost:8000")
    assert b"Approve" in client.get(url).content
    assert_problem(client.get(url.partition("?")[0] + "?key=wrong"), 404)
    done = client.post(url, "decision=approve", "application/x-www-form-urlencoded")
    assert (done.status_code, done["Location"].split("?")[0]) == (
        302,
        f"http://localhost:8000/orders/{body['number']}",
    )
    found = client.get(f"{URL}/{body['number']}", headers={"X-Order-Token": body["access_token"]}).json()
    assert (found["status"], found["payment"]["status"]) == ("confirmed", "paid")
    assert post(client, paying("tok_requires_action")).json() == body


def test_an_unavailable_service_is_503_and_is_not_stored(client, shop):
    shop.catalog.unavailable = {"skus"}
    response = post(client)

    problem = assert_problem(response, 503)

    assert (problem["type"], response["Retry-After"]) == ("unavailable", "5")
    assert shop.orders.count() == 0
    shop.catalog.unavailable = set()
    assert post(client).status_code == 201
