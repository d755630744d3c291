"""Tests of the API for placed orders."""

from __future__ import annotations

import json

import pytest

from chassis.testing import bad_input
from chassis.testing.bad_input import assert_problem
from chassis.testing.identity import bearer, service_headers, staff
from tests.requests import BODY, READER, URL, WRITER, eur, paying, post


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
        shop.clock.advance(seconds=1)
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
    shop.clock.advance(days=1)
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


@pytest.mark.parametrize(
    ("what", "body", "other"),
    [
        ("shipments", {"carrier": "bpost", "tracking": "1"}, {"carrier": "bpost", "tracking": "2"}),
        ("refunds", {"reason": "broken"}, {"reason": "late"}),
    ],
)
def test_staff_requests_with_the_same_key_are_replayed(client, what, body, other):
    number = post(client).json()["number"]
    url, headers = f"{URL}/{number}/{what}", staff(WRITER, "checkout.refund.write")

    first = post(client, body, url=url, key="k", **headers)
    again = post(client, body, url=url, key="k", **headers)
    reused = post(client, other, url=url, key="k", **headers)

    assert (first.status_code, first.headers.get("Idempotent-Replay")) == (201, None)
    assert (again.status_code, again.headers.get("Idempotent-Replay")) == (201, "true")
    assert again.json() == first.json()
    assert assert_problem(reused, 422)["type"] == "idempotency-key-reused"


def test_a_line_is_refunded_once(client, shop):
    body = {**BODY, "lines": [{"sku": "TEA", "quantity": 1}, {"sku": "POT", "quantity": 1}]}
    number = post(client, body).json()["number"]
    refund = {"lines": [{"sku": "TEA", "quantity": 1}], "reason": "broken"}
    url, headers = f"{URL}/{number}", staff(WRITER, "checkout.refund.write")

    answers = [post(client, refund, url=f"{url}/refunds", key=f"r{n}", **headers) for n in range(4)]

    assert [answer.status_code for answer in answers] == [201, 422, 422, 422]
    problem = assert_problem(answers[1], 422)
    assert (problem["type"], problem["skus"]) == ("refund-too-large", ["TEA"])
    assert answers[0].json()["refunds"] == [
        {
            "at": answers[0].json()["refunds"][0]["at"],
            "amount": eur(1000),
            "lines": [{"sku": "TEA", "quantity": 1, "amount": eur(1000)}],
            "shipping": eur(0),
            "status": "done",
        }
    ]
    assert shop.charged() == 9900 + 495
    again = post(client, body).json()
    assert (again["refunds"], again["payment"]["status"]) == ([], "paid")


@pytest.mark.parametrize(
    ("what", "more"), [("refunds", {"reason": "x"}), ("shipments", {"carrier": "bpost", "tracking": "1"})]
)
def test_a_line_that_is_named_twice_is_refused(client, shop, what, more):
    number = post(client).json()["number"]
    twice = {"lines": [{"sku": "TEA", "quantity": 1}] * 2, **more}

    answer = post(client, twice, url=f"{URL}/{number}/{what}", **staff(WRITER, "checkout.refund.write"))

    assert assert_problem(answer, 400)["errors"] == {"lines": ["Each SKU once, please."]}
    assert shop.charged() == 2495


def test_a_refunded_order_is_not_shipped(client, shop):
    number = post(client).json()["number"]
    url, headers = f"{URL}/{number}", staff(WRITER, "checkout.refund.write")
    post(client, {"reason": "lost"}, url=f"{url}/refunds", key="r1", **headers)

    sent = post(client, {"carrier": "bpost", "tracking": "1"}, url=f"{url}/shipments", **headers)

    assert assert_problem(sent, 409)["type"] == "not-shippable"


def test_a_refund_that_the_provider_refuses_is_answered_422_as_often_as_it_is_asked(client, shop):
    number = post(client).json()["number"]
    (entry,) = shop.ledger.find("id").items
    entry.captured = 100  # the provider has paid the rest back by itself
    shop.ledger.save(entry)
    url, headers = f"{URL}/{number}/refunds", staff("checkout.refund.write")

    answers = [post(client, {"reason": "lost"}, url=url, key="r1", **headers) for _ in range(2)]

    assert [assert_problem(answer, 422)["type"] for answer in answers] == ["refund-refused"] * 2
    assert client.get(f"{URL}/{number}", headers=staff(READER)).json()["refunds"] == []


@pytest.mark.parametrize("what", ["shipments", "deliver", "refunds"])
def test_staff_routes_are_closed_to_everyone_else(client, what):
    number = post(client).json()["number"]

    for headers, status in [({}, 401), (bearer(), 403), (staff(READER), 403), (service_headers("cart"), 403)]:
        assert_problem(post(client, {}, url=f"{URL}/{number}/{what}", **headers), status)


def test_an_account_erased_event_anonymises_orders(client, shop):
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
        "/api/checkout/payment-methods",
        "/api/checkout/quotes",
        "/api/checkout/shipping-methods",
    ]
