"""Fault isolation as a shopper sees it: one test or more for each service that can fail."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.backend import Backend
from tests.backend.services import problem
from tests.pages import field, heading, words
from tests.test_checkout import FORM, TYPED, typed_values

HTMX = {"HTTP_HX_REQUEST": "true"}


def test_checkout_down_the_cart_is_safe_and_pages_work(guest: Client, backend: Backend) -> None:
    backend.down = {"checkout"}

    assert [
        guest.get(path).status_code for path in ("/", "/search", "/p/floor-lamp", "/cart", "/signin")
    ] == [200] * 5
    response = guest.get("/checkout")
    assert response.status_code == 503
    assert heading(response) == "Checkout is taking a break; your cart is safe"


def test_checkout_down_while_ordering_keeps_the_form_and_the_key(guest: Client, backend: Backend) -> None:
    backend.down = {"checkout"}

    response = guest.post("/checkout", FORM)

    assert response.status_code == 503
    assert "Checkout is taking a break; your cart is safe" in words(response)
    assert typed_values(response) == TYPED
    assert field(response, "key") == "key-1"
    assert field(response, "shipping_method") == "standard"


def test_checkout_down_while_typing_keeps_the_form(guest: Client, backend: Backend) -> None:
    backend.down = {"checkout"}

    response = guest.post("/fragments/summary", FORM)

    assert response.status_code == 503
    assert "your cart is safe" in words(response)
    assert "Nothing you typed is lost." in words(response)


def test_cart_down_the_badge_is_a_dash_and_pages_work(guest: Client, backend: Backend) -> None:
    backend.down = {"cart"}

    assert "Cart – (your cart is out of reach for a moment)" in words(guest.get("/fragments/header"))
    assert [guest.get(path).status_code for path in ("/", "/search", "/p/floor-lamp")] == [200] * 3
    response = guest.get("/cart")
    assert response.status_code == 503
    assert heading(response) == "Your cart is out of reach for a moment"


def test_cart_down_adding_retries_with_the_same_key_then_explains(guest: Client, backend: Backend) -> None:
    backend.down = {"cart"}
    backend.calls.clear()

    response = guest.post("/cart/add", {"sku": "SKU-8"}, HTTP_IDEMPOTENCY_KEY="press-1", **HTMX)

    assert response.status_code == 503
    assert "We cannot reach your cart just now. Nothing is lost; please try again in a minute." in words(
        response
    )
    tries = backend.calls_to("POST", "/api/cart/lines")
    assert len(tries) >= 3
    assert {call.headers["idempotency-key"] for call in tries} == {"press-1"}


def test_cart_down_order_history_works(member: Client, backend: Backend) -> None:
    backend.down = {"cart"}

    assert heading(member.get("/orders")) == "My orders"


def test_auth_down_the_sign_in_page_explains(shop: Client, backend: Backend) -> None:
    backend.down = {"auth"}

    response = shop.post("/signin", {"email": "ada@example.com", "password": "right"})

    assert response.status_code == 503
    assert "Signing in is taking a break" in words(response)
    assert 'value="ada@example.com"' in response.content.decode()


def test_auth_down_guests_still_order(guest: Client, backend: Backend) -> None:
    backend.down = {"auth"}

    response = guest.post("/checkout", FORM)

    assert response.status_code == 303


def test_auth_down_shoppers_stay_signed_in_until_their_token_expires(
    member: Client, backend: Backend
) -> None:
    backend.down = {"auth"}

    assert heading(member.get("/orders")) == "My orders"
    assert "Ada" in words(member.get("/fragments/header"))

    del member.cookies["access"]
    response = member.get("/orders")
    assert response.status_code == 503
    assert heading(response) == "Signing in is taking a break"
    assert member.cookies["refresh"].value == "refresh-2", "the session is kept for when auth is back"
    assert member.get("/").status_code == 200


def test_reservations_down_the_order_is_refused_and_browsing_works(guest: Client, backend: Backend) -> None:
    backend.answers["POST", "/api/checkout/orders"] = problem(503, "unavailable")

    response = guest.post("/checkout", FORM)

    assert "We cannot take this order just now" in words(response)
    assert typed_values(response) == TYPED
    assert guest.get("/search").status_code == 200


def test_catalog_down_the_cart_has_a_notice_about_old_prices(guest: Client, backend: Backend) -> None:
    guest.get("/")
    backend.down = {"catalog"}

    page = words(guest.get("/cart"))

    assert "Prices may be a few minutes old" in page
    assert "Electronics" in page, "the menu is the last known one"


def test_catalog_down_an_uncached_list_explains_the_outage(shop: Client, backend: Backend) -> None:
    shop.get("/")
    backend.down = {"catalog"}

    for path in ("/search", "/p/floor-lamp"):
        response = shop.get(path)
        assert response.status_code == 503, "the gateway serves its stale copy in place of this"
        assert response["Retry-After"] == "10"
        assert heading(response) == "Our shelves are out of reach for a moment"


def test_catalog_down_the_home_page_serves_stale_shelves(shop: Client, backend: Backend) -> None:
    shop.get("/")
    backend.down = {"catalog"}

    response = shop.get("/")

    assert response.status_code == 200
    assert "Floor lamp" in words(response)


def test_reco_down_the_shelf_shows_popular_products(shop: Client, backend: Backend) -> None:
    backend.down = {"reco"}

    home, product = words(shop.get("/")), words(shop.get("/p/floor-lamp"))

    assert "Liked this week" in home
    assert "Two-seat sofa" in product.partition("Goes well with")[2]
    assert shop.get("/fragments/for-you").status_code == 200


def test_logs_down_pages_work(shop: Client, backend: Backend) -> None:
    backend.down = {"logs"}

    response = shop.post("/events", [{"type": "view", "product_id": "p"}], content_type="application/json")

    assert (response.status_code, response.json()) == (202, {"accepted": 0, "rejected": []})
    assert shop.get("/").status_code == 200


@pytest.mark.parametrize("path", ["/", "/search", "/p/floor-lamp", "/cart", "/signin", "/fragments/header"])
def test_everything_down_no_page_is_a_500(guest: Client, backend: Backend, path: str) -> None:
    backend.down = {"auth", "catalog", "cart", "checkout", "logs", "reco"}

    response = guest.get(path)

    assert response.status_code in (200, 503)


def test_health_depends_on_the_process_alone(shop: Client, backend: Backend) -> None:
    backend.down = {"auth", "catalog", "cart", "checkout", "logs", "reco"}

    assert [shop.get(path).status_code for path in ("/livez", "/readyz")] == [200, 200]
