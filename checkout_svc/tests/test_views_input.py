"""Tests of bad input to the API: always a problem that names the fault, never a 500."""

from __future__ import annotations

import pytest

from chassis.testing import bad_input
from chassis.testing.bad_input import assert_problem, assert_refuses_bad_bodies, assert_refuses_values
from tests.requests import ADDRESS, BODY, URL, post


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
