"""Orders, and every way in which they can be refused without losing what was typed."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.backend import Backend
from tests.backend.services import problem
from tests.pages import field, heading, words

FORM = {
    "email": "ada@example.com",
    "name": "Ada Lovelace",
    "line1": "Rue Haute 1",
    "line2": "",
    "postal_code": "1000",
    "city": "Brussels",
    "country": "BE",
    "phone": "",
    "shipping_method": "standard",
    "card": "tok_ok",
    "key": "key-1",
    "expected_amount": "5890",
    "expected_currency": "EUR",
}
ORDERS = ("POST", "/api/checkout/orders")


def order(client: Client, **changes: str) -> Any:
    return client.post("/checkout", FORM | changes)


def typed_values(response: Any) -> dict[str, str]:
    return {name: field(response, name) for name in ("email", "name", "line1", "postal_code", "city")}


TYPED = {name: FORM[name] for name in ("email", "name", "line1", "postal_code", "city")}


def test_checkout_shows_delivery_methods_an_estimate_and_test_cards(guest: Client) -> None:
    response = guest.get("/checkout")

    page = words(response)
    for part in (
        "built-in test provider",
        "Standard 2–4 working days €4.90",
        "Total (before your address) €58.90",
    ):
        assert part in page
    assert field(response, "expected_amount") == "5890"
    assert len(field(response, "key")) == 36


def test_an_order_is_sent_once_with_its_fields_and_leads_to_its_page(guest: Client, backend: Backend) -> None:
    response = order(guest)

    assert response.status_code == 303
    assert response["Location"] == "/orders/HM-000000000000?token=guest-token&placed=1"
    sent = backend.calls_to(*ORDERS)
    assert [call.headers["idempotency-key"] for call in sent] == ["key-1"]
    assert sent[0].body == {
        "cart_id": "c0ffee" * 5 + "01",
        "email": "ada@example.com",
        "shipping_address": {
            "name": "Ada Lovelace",
            "line1": "Rue Haute 1",
            "postal_code": "1000",
            "city": "Brussels",
            "country": "BE",
        },
        "shipping_method": "standard",
        "payment": {"method": "card", "token": "tok_ok"},
        "expected_total": {"amount": 5890, "currency": "EUR"},
    }
    page = words(guest.get(response["Location"]))
    for part in (
        "Order confirmed. Thank you!",
        "HM-000000000000",
        "Floor lamp",
        "€58.90",
        "Includes VAT 21%",
        "Belgium",
    ):
        assert part in page


def test_a_billing_address_is_sent(guest: Client, backend: Backend) -> None:
    order(
        guest,
        other_billing="on",
        billing_name="Lovelace Ltd",
        billing_line1="Kerkstraat 2",
        billing_postal_code="9000",
        billing_city="Gent",
        billing_country="BE",
    )

    assert backend.calls_to(*ORDERS)[0].body["billing_address"] == {
        "name": "Lovelace Ltd",
        "line1": "Kerkstraat 2",
        "postal_code": "9000",
        "city": "Gent",
        "country": "BE",
    }


def test_a_missing_field_is_reported_and_nothing_is_sent(guest: Client, backend: Backend) -> None:
    response = order(guest, city="", email="ada")

    page = words(response)
    assert response.status_code == 400
    assert "Please fill in: town or city." in page
    assert "Please write it like name@example.com." in page
    assert typed_values(response) == TYPED | {"city": "", "email": "ada"}
    assert field(response, "key") == "key-1"
    assert backend.calls_to(*ORDERS) == []


@pytest.mark.parametrize(
    ("card", "said"),
    [
        ("tok_declined", "Another card may work."),
        ("tok_insufficient_funds", "There was not enough money on the card."),
    ],
)
def test_a_refused_payment_is_explained_and_gets_a_new_key(guest: Client, card: str, said: str) -> None:
    response = order(guest, card=card)

    assert response.status_code == 402
    assert said in words(response)
    assert "Please try another card." in words(response)
    assert typed_values(response) == TYPED
    assert field(response, "key") != "key-1"


REFUSALS = [
    (
        409,
        problem(409, "out-of-stock", short=[{"sku": "SKU-8", "available": 0}]),
        "“Floor lamp” is sold out",
        True,
    ),
    (409, problem(409, "idempotency-in-progress"), "you will not pay twice", False),
    (409, problem(409, "cart-claimed"), "This cart is already being ordered", True),
    (422, problem(422, "total-changed"), "Please look at the new total", True),
    (
        400,
        problem(400, "invalid", errors={"shipping_address": {"postal_code": ["Not a code."]}}),
        "Not a code.",
        True,
    ),
    (503, problem(503, "unavailable"), "We cannot take this order just now", False),
]


@pytest.mark.parametrize(("status", "answer", "said", "new_key"), REFUSALS)
def test_each_refusal_is_explained_and_keeps_the_form(
    guest: Client, backend: Backend, status: int, answer: Any, said: str, new_key: bool
) -> None:
    backend.answers[ORDERS] = answer

    response = order(guest)

    assert response.status_code == status
    assert said in words(response)
    assert typed_values(response) == TYPED
    assert (field(response, "key") != "key-1") is new_key


def test_a_pending_payment_has_a_polling_page(guest: Client, backend: Backend) -> None:
    response = order(guest, card="tok_requires_action")
    page = guest.get(response["Location"])

    assert heading(page) == "One more step"
    html = page.content.decode()
    assert 'href="/api/checkout/test-provider/p1"' in html
    assert 'hx-get="/fragments/orders/HM-000000000000?token=guest-token" hx-trigger="every 2s"' in html

    backend.orders["HM-000000000000"]["status"] = "confirmed"
    answer = guest.get("/fragments/orders/HM-000000000000?token=guest-token")
    assert heading(answer) == "Order confirmed. Thank you!"
    assert "hx-trigger" not in answer.content.decode()


def test_the_summary_is_quoted_once_there_is_an_address(guest: Client, backend: Backend) -> None:
    response = guest.post("/fragments/summary", FORM | {"shipping_method": "express"})

    page = words(response)
    assert "Total €66.90" in page
    assert "Includes VAT 21%" in page
    assert field(response, "expected_amount") == "6690"
    assert len(backend.calls_to("POST", "/api/checkout/quotes")) == 1


def test_the_total_can_be_updated_without_javascript(guest: Client, backend: Backend) -> None:
    response = guest.post("/checkout", FORM | {"shipping_method": "express", "update": "1"})

    assert response.status_code == 200
    assert "Total €66.90" in words(response)
    assert typed_values(response) == TYPED
    assert field(response, "key") == "key-1"
    assert backend.calls_to(*ORDERS) == []


def test_an_empty_cart_cannot_be_checked_out(shop: Client) -> None:
    response = shop.get("/checkout")

    assert (response.status_code, response["Location"]) == (303, "/cart")


def test_an_accounts_form_is_prefilled(member: Client) -> None:
    member.post("/cart/add", {"sku": "SKU-8"})

    response = member.get("/checkout")

    assert (field(response, "email"), field(response, "name")) == ("ada@example.com", "Ada")


def test_a_guests_order_without_its_token_is_not_found(guest: Client) -> None:
    order(guest)

    response = guest.get("/orders/HM-000000000000")

    assert response.status_code == 404


def test_a_guest_can_cancel_by_the_link(guest: Client, backend: Backend) -> None:
    order(guest)

    response = guest.post("/orders/HM-000000000000/cancel", {"token": "guest-token"})

    assert response["Location"] == "/orders/HM-000000000000?token=guest-token"
    assert "is cancelled" in heading(guest.get(response["Location"]))


def test_my_orders_list_their_products(member: Client) -> None:
    member.post("/cart/add", {"sku": "SKU-8"})
    order(member)

    page = words(member.get("/orders"))

    for part in ("HM-000000000000", "Floor lamp", "€58.90", "We are getting it ready"):
        assert part in page


def test_a_shop_without_a_payment_provider_has_no_order_button(guest: Client, backend: Backend) -> None:
    backend.payable = False

    response = guest.get("/checkout")

    page = words(response)
    assert response.status_code == 200
    assert "This shop cannot take payments yet." in page
    assert "your cart is safe" in page
    assert "Order and pay" not in page
    assert "test provider" not in page
    assert "Order and pay" not in words(guest.post("/fragments/summary", FORM))


def test_an_order_is_refused_if_the_provider_was_removed_meanwhile(guest: Client, backend: Backend) -> None:
    backend.payable = False

    response = order(guest)

    page = words(response)
    assert response.status_code == 503
    assert "This shop cannot take payments yet" in page
    assert "Nothing can be ordered for now. Your cart is safe, and nothing was charged." in page
    assert typed_values(response) == TYPED
    assert field(response, "key") == "key-1"
