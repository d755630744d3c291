"""Cart page and its forms, with and without JavaScript."""

from __future__ import annotations

from django.test import Client

from tests.backend import Backend
from tests.backend.services import GUEST_CART
from tests.pages import heading, words

HTMX = {"HTTP_HX_REQUEST": "true"}


def test_a_guests_first_item_creates_a_cart_and_shows_it(shop: Client, backend: Backend) -> None:
    response = shop.post("/cart/add", {"sku": "SKU-8", "quantity": "2"})

    assert (response.status_code, response["Location"]) == (303, "/cart")
    cookie = response.cookies["cart"]
    assert (cookie.value, cookie["httponly"], cookie["samesite"], cookie["path"]) == (
        GUEST_CART,
        True,
        "Lax",
        "/",
    )
    page = words(shop.get("/cart"))
    for part in ("Floor lamp", "€54.00 each", "€108.00", "Check out"):
        assert part in page


def test_adding_with_javascript_returns_a_message_and_the_badge(shop: Client) -> None:
    response = shop.post("/cart/add", {"sku": "SKU-8"}, **HTMX)

    assert response.status_code == 200
    assert words(response) == "Floor lamp is in your cart. View cart Cart 1 in it"
    assert 'id="cart-link"' in response.content.decode()


def test_the_idempotency_key_reaches_the_cart(shop: Client, backend: Backend) -> None:
    shop.post("/cart/add", {"sku": "SKU-8"}, HTTP_IDEMPOTENCY_KEY="press-1", **HTMX)

    assert backend.calls_to("POST", "/api/cart/lines")[0].headers["idempotency-key"] == "press-1"


def test_an_unknown_sku_is_refused_with_a_message(shop: Client) -> None:
    response = shop.post("/cart/add", {"sku": "NOPE"}, **HTMX)

    assert response.status_code == 422
    assert words(response) == "Not in your cart yet. Sorry, this is no longer sold."


def test_the_cart_is_changed_by_plain_forms(guest: Client) -> None:
    guest.post("/cart/change", {"do": "set", "sku": "SKU-8", "quantity": "3"})
    assert "€162.00" in words(guest.get("/cart"))

    guest.post("/cart/change", {"do": "set", "sku": "SKU-8", "quantity": "3", "to": "2"})
    assert "€108.00" in words(guest.get("/cart"))

    guest.post("/cart/change", {"do": "save", "sku": "SKU-8"})
    page = words(guest.get("/cart"))
    assert "Your cart is empty." in page
    assert "Saved for later Floor lamp" in page

    guest.post("/cart/change", {"do": "restore", "sku": "SKU-8"})
    guest.post("/cart/change", {"do": "remove", "sku": "SKU-8"})
    assert "Your cart is empty." in words(guest.get("/cart"))


def test_an_invalid_quantity_is_explained_beside_the_cart(guest: Client) -> None:
    response = guest.post("/cart/change", {"do": "set", "sku": "SKU-8", "quantity": "many"}, **HTMX)

    assert "Please choose a number from 0 to 99." in words(response)
    assert "Floor lamp" in words(response)


def test_an_unknown_coupon_is_explained_and_the_cart_stays(guest: Client) -> None:
    response = guest.post("/cart/change", {"do": "coupon", "code": "NOPE"})

    assert heading(response) == "Your cart"
    assert "There is no coupon NOPE." in words(response)


def test_the_badge_counts_what_is_in_the_cart(guest: Client) -> None:
    response = guest.get("/fragments/header")

    assert words(response).endswith("Cart 1 in it")
    assert response["Cache-Control"] == "private, no-store"


def test_a_visitor_without_a_cart_costs_no_request(shop: Client, backend: Backend) -> None:
    shop.get("/fragments/header")

    assert backend.calls == []


def test_a_guest_cart_is_merged_at_sign_in(guest: Client, backend: Backend) -> None:
    response = guest.post("/signin", {"email": "ada@example.com", "password": "right"})

    assert backend.carts["account"] == {"SKU-8": 1}
    assert response.cookies["cart"]["max-age"] == 0
    assert "Floor lamp" in words(guest.get("/cart"))


def test_a_failed_merge_is_repeated_with_the_next_cart_page(guest: Client, backend: Backend) -> None:
    backend.down = {"cart"}
    guest.post("/signin", {"email": "ada@example.com", "password": "right"})
    backend.down = set()

    page = words(guest.get("/cart"))

    assert "Floor lamp" in page
    assert guest.cookies["cart"].value == ""


def test_an_invalid_cart_cookie_is_not_passed_on(shop: Client, backend: Backend) -> None:
    shop.cookies["cart"] = "a b\tc"

    shop.get("/fragments/header")

    assert backend.calls == []
