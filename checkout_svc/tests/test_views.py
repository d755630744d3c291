"""The API, by whole answers and all sorts of bad input."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from chassis.testing import bad_input
from chassis.testing.bad_input import assert_problem, assert_refuses_bad_bodies, assert_refuses_values
from chassis.testing.identity import bearer, service_headers, staff
from chassis.testing.permissions import assert_every_view_declares_permissions

URL = "/api/checkout/orders"
ADDRESS = {
    "name": "Ada",
    "line1": "1 Main St",
    "postal_code": "1000",
    "city": "Brussels",
    "country": "BE",
}
BODY: dict[str, Any] = {
    "lines": [{"sku": "TEA", "quantity": 2}],
    "email": "Ada@Example.com",
    "shipping_address": ADDRESS,
    "shipping_method": "standard",
    "payment": {"method": "card", "token": "tok_ok"},
}
QUOTE = {"lines": BODY["lines"], "shipping_address": ADDRESS, "shipping_method": "standard"}
READER = "checkout.order.read"
WRITER = "checkout.order.write"


def eur(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "EUR"}


TOTALS = {
    "subtotal": eur(2000),
    "discount": eur(0),
    "shipping": eur(495),
    "tax": {"amount": eur(433), "rate": 0.21, "included": True},
    "total": eur(2495),
}


@pytest.fixture
def client(shop) -> Client:
    return Client(raise_request_exception=True)


def post(
    client: Client, body: Any = None, *, key: str | None = "key-1", url: str = URL, **headers: str
) -> Any:
    sent = {**({"Idempotency-Key": key} if key else {}), **headers}
    return client.post(url, json.dumps(BODY if body is None else body), "application/json", headers=sent)


def paying(token: str) -> dict[str, Any]:
    return {**BODY, "payment": {"method": "card", "token": token}}


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


def test_a_guests_order_is_confirmed_and_can_be_looked_at_with_its_token(client, shop):
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
def test_without_a_proper_key_nothing_is_ordered(client, shop, key):
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


def test_an_order_that_is_short_is_409_with_what_is_left(client):
    problem = assert_problem(post(client, {**BODY, "lines": [{"sku": "TEA", "quantity": 99}]}), 409)

    assert (problem["type"], problem["short"]) == ("out-of-stock", [{"sku": "TEA", "available": 10}])


def test_a_total_that_changed_is_422_with_the_new_one(client):
    problem = assert_problem(post(client, {**BODY, "expected_total": eur(2494)}), 422)

    assert (problem["type"], problem["totals"]) == ("total-changed", TOTALS)
    assert post(client, {**BODY, "expected_total": eur(2495)}, key="key-2").status_code == 201


def test_an_unknown_payment_is_202_and_a_payment_page_is_told(client, shop):
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


def test_with_a_sibling_away_the_answer_is_503_and_is_not_stored(client, shop):
    shop.catalog.away = {"skus"}
    response = post(client)

    problem = assert_problem(response, 503)

    assert (problem["type"], response["Retry-After"]) == ("unavailable", "5")
    assert shop.orders.count() == 0
    shop.catalog.away = set()
    assert post(client).status_code == 201


# -- bad input -------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", [URL, "/api/checkout/quotes"])
def test_malformed_bodies_are_bad_requests(client, url):
    assert_refuses_bad_bodies(client, "POST", url, HTTP_IDEMPOTENCY_KEY="k")


@pytest.mark.parametrize(
    ("field", "values"),
    [
        (
            "email",
            [
                *bad_input.NOT_TEXT,
                "",
                "nobody",
                "a@b",
                "a b@c.de",
                "x" * 250 + "@example.com",
                "a@b.c\r\nBcc: x",
            ],
        ),
        ("shipping_method", [*bad_input.NOT_TEXT, "", "x" * 41]),
        ("shipping_address", [None, 1, "home", [], {}, {**ADDRESS, "x": 1}, {**ADDRESS, "country": "BEL"}]),
        ("billing_address", [1, "home", [], {}, {**ADDRESS, "name": ""}]),
        (
            "payment",
            [
                None,
                1,
                {},
                {"method": "card"},
                {"method": "cash", "token": "tok_ok"},
                {"method": "card", "token": 1},
            ],
        ),
        ("lines", [None, 1, "TEA", {}, [], ["TEA"], [{}], [{"sku": "TEA"}], [{"sku": 1, "quantity": 1}]]),
        ("lines", [[{"sku": "TEA", "quantity": value}] for value in bad_input.NOT_QUANTITIES]),
        (
            "expected_total",
            [1, "24.95", {}, {"amount": -1, "currency": "EUR"}, {"amount": 1.5, "currency": "EUR"}],
        ),
        ("expected_total", [{"amount": "2495", "currency": "EUR"}, {"amount": 2495, "currency": "eur"}]),
        ("price", [1]),
        ("status", ["confirmed"]),
        ("totals", [{}]),
    ],
)
def test_bad_values_are_named(client, shop, field, values):
    assert_refuses_values(client, "POST", URL, BODY, field, values, HTTP_IDEMPOTENCY_KEY="k")
    assert shop.orders.count() == 0


@pytest.mark.parametrize("field", ["lines", "email", "shipping_address", "shipping_method", "payment"])
def test_missing_fields_are_named(client, field):
    body = {name: value for name, value in BODY.items() if name != field}

    assert field in assert_problem(post(client, body), 400)["errors"]


@pytest.mark.parametrize("id", bad_input.BAD_IDS)
def test_orders_that_cannot_be_are_not_found(client, id):
    for url in (f"{URL}/{id}", f"{URL}/{id}/cancel"):
        response = client.get(url) if url.endswith(id) else client.post(url, "{}", "application/json")
        assert_problem(response, 404, 405, 301)


@pytest.mark.parametrize("header", bad_input.BAD_AUTHORIZATION)
def test_a_bad_token_is_401_everywhere(client, header):
    assert_problem(client.get(URL, headers={"Authorization": header}), 401)
    assert_problem(post(client, Authorization=header), 401)


# -- reading ---------------------------------------------------------------------------------------


def test_an_account_sees_its_orders_and_nobody_elses(client, shop):
    mine = post(client, **bearer(sub="a1")).json()
    post(client, **bearer(sub="a2"))
    post(client, {**paying("tok_declined")}, key="key-2", **bearer(sub="a1"))

    answer = client.get(URL, headers=bearer(sub="a1")).json()

    assert "access_token" not in mine
    assert answer == {"results": [mine], "next": None, "total": 1}
    assert_problem(client.get(f"{URL}/{mine['number']}", headers=bearer(sub="a2")), 404)
    assert_problem(client.get(f"{URL}/{mine['number']}"), 404)
    assert_problem(client.get(f"{URL}/{mine['number']}", headers={"X-Order-Token": "x"}), 404)
    assert_problem(post(client, {}, url=f"{URL}/{mine['number']}/cancel", **bearer(sub="a2")), 404)
    assert_problem(client.get(URL), 401)


def test_my_orders_come_in_pages(client, shop):
    for n in range(3):
        shop.clock.forward(seconds=1)
        assert post(client, key=f"k{n}", **bearer(sub="a1")).status_code == 201

    first = client.get(f"{URL}?limit=2", headers=bearer(sub="a1")).json()
    second = client.get(f"{URL}?limit=2&cursor={first['next']}", headers=bearer(sub="a1")).json()

    assert (len(first["results"]), len(second["results"]), second["next"], first["total"]) == (2, 1, None, 3)
    placed = [order["placed_at"] for order in first["results"] + second["results"]]
    assert placed == sorted(placed, reverse=True)


@pytest.mark.parametrize("limit", bad_input.BAD_LIMITS)
def test_bad_limits_are_refused(client, limit):
    assert_problem(client.get(URL, {"limit": limit}, headers=bearer()), 400)


@pytest.mark.parametrize("cursor", bad_input.BAD_CURSORS)
def test_bad_cursors_are_refused(client, cursor):
    assert_problem(client.get(URL, {"cursor": cursor}, headers=bearer()), 400)


def test_staff_see_all_orders_and_filter_them(client, shop):
    ada = post(client).json()["number"]
    shop.clock.forward(days=1)
    bob = post(client, {**paying("tok_declined"), "email": "bob@example.com"}, **bearer(sub="a1"))
    assert bob.status_code == 402
    headers = staff(READER)

    def numbers(query: str) -> list[str]:
        response = client.get(f"{URL}?{query}", headers=headers)
        assert response.status_code == 200, response.content
        return [order["number"] for order in response.json()["results"]]

    (cancelled,) = numbers("status=cancelled")
    assert numbers("") == [cancelled, ada]
    assert numbers("email=ada@example.com") == [ada]
    assert numbers("email=ADA@example.com&status=cancelled") == []
    assert numbers(f"number={ada}") == [ada]
    assert numbers(f"number={ada}&status=cancelled") == []
    assert numbers("from=2025-06-02") == [cancelled]
    assert numbers("to=2025-06-02T00:00:00Z") == [ada]
    assert numbers("from=2025-06-01T12:00:00.000Z&to=2025-06-01T12:00:00.001Z&status=confirmed") == [ada]


@pytest.mark.parametrize(
    "query",
    [
        "status=nope",
        "email=x",
        "number=1",
        "from=yesterday",
        "to=1",
        "x=1",
        "status=confirmed&status=pending",
        "from=",
    ],
)
def test_bad_filters_are_refused(client, query):
    assert_problem(client.get(f"{URL}?{query}", headers=staff(READER)), 400)


def test_the_filters_are_for_staff_only(client):
    assert_problem(client.get(f"{URL}?email=ada@example.com", headers=bearer()), 400)


# -- changing --------------------------------------------------------------------------------------


def test_a_guest_cancels_with_the_token_and_gets_the_money_back(client, shop):
    placed = post(client).json()
    url, token = f"{URL}/{placed['number']}/cancel", {"X-Order-Token": placed["access_token"]}

    response = post(client, {"reason": "too much tea"}, url=url, key=None, **token)

    body = response.json()
    assert (response.status_code, body["status"], body["payment"]["status"]) == (200, "cancelled", "refunded")
    assert [step["what"] for step in body["timeline"]] == ["placed", "confirmed", "refunded", "cancelled"]
    assert (shop.charged(), shop.catalog.on_hand["TEA"]) == (0, 10)
    assert client.generic("POST", url, b"", content_type="", headers=token).json() == body


def test_staff_send_deliver_and_refund(client, shop):
    number = post(client).json()["number"]
    headers = staff(WRITER, "checkout.refund.write")
    shipment = {"carrier": "bpost", "tracking": "123", "lines": [{"sku": "TEA", "quantity": 2}]}

    sent = post(client, shipment, url=f"{URL}/{number}/shipments", key="s1", **headers)
    again = post(client, shipment, url=f"{URL}/{number}/shipments", key="s1", **headers)
    delivered = client.post(f"{URL}/{number}/deliver", headers=headers)
    refund = {"lines": [{"sku": "TEA", "quantity": 1}], "reason": "broken"}
    refunded = post(client, refund, url=f"{URL}/{number}/refunds", key="r1", **headers)

    assert (sent.status_code, again.json()) == (201, sent.json())
    assert sent.json()["fulfilment"]["status"] == "shipped"
    assert sent.json()["fulfilment"]["shipments"][0]["lines"] == [{"sku": "TEA", "quantity": 2}]
    assert delivered.json()["fulfilment"]["status"] == "delivered"
    assert (refunded.status_code, refunded.json()["payment"]["status"]) == (201, "partially_refunded")
    assert post(client, refund, url=f"{URL}/{number}/refunds", key="r1", **headers).json() == refunded.json()
    assert shop.charged() == 1495
    assert_problem(post(client, {"reason": "x"}, url=f"{URL}/{number}/refunds", key=None, **headers), 400)
    other = {**refund, "amount": eur(1)}
    assert_problem(post(client, other, url=f"{URL}/{number}/refunds", key="r2", **headers), 400)
    much = {"amount": eur(9999), "reason": "x"}
    assert_problem(post(client, much, url=f"{URL}/{number}/refunds", key="r3", **headers), 422)
    assert_problem(post(client, {}, url=f"{URL}/{number}/cancel", key=None, **headers), 409)


@pytest.mark.parametrize("what", ["shipments", "deliver", "refunds"])
def test_staff_routes_are_closed_to_everyone_else(client, what):
    number = post(client).json()["number"]

    for headers, status in [({}, 401), (bearer(), 403), (staff(READER), 403), (service_headers("cart"), 403)]:
        assert_problem(post(client, {}, url=f"{URL}/{number}/{what}", **headers), status)


def test_an_erased_account_is_forgotten_when_auth_says_so(client, shop):
    number = post(client, **bearer(sub="a1")).json()["number"]
    event = {
        "id": "e1",
        "type": "account.erased",
        "source": "auth",
        "subject": "a1",
        "seq": 1,
        "at": "2025-06-01T12:00:00.000Z",
        "data": {"account_id": "a1"},
    }

    response = post(client, [event], url="/internal/events", key=None, **service_headers("auth"))

    assert response.json() == {"results": [{"id": "e1", "status": "done"}]}
    assert client.get(f"{URL}/{number}", headers=staff(READER)).json()["email"] == ""


def test_the_openapi_document_names_every_endpoint(client):
    response = client.get("/api/checkout/schema", headers={"Accept": "application/vnd.oai.openapi+json"})

    paths = json.loads(response.content)["paths"]
    assert sorted(paths) == [
        "/api/checkout/orders",
        "/api/checkout/orders/{number}",
        "/api/checkout/orders/{number}/cancel",
        "/api/checkout/orders/{number}/deliver",
        "/api/checkout/orders/{number}/refunds",
        "/api/checkout/orders/{number}/shipments",
        "/api/checkout/quotes",
        "/api/checkout/shipping-methods",
    ]
