"""Every fragment in every situation: the current content of the page stays.

The fragments are read from the URL map and from the templates: a new one without a line in `PARTS` fails.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from chassis.clients.client import FAILURES
from shop import urls
from tests.backend import TOKEN, Backend
from tests.pages import field, heading, words
from tests.test_checkout import FORM, TYPED, typed_values

TEMPLATES = Path(__file__).resolve().parent.parent / "shop" / "templates"
HTMX = {"HTTP_HX_REQUEST": "true", "HTTP_HX_CURRENT_URL": "http://testserver/checkout"}
EVENT = [{"type": "view", "product_id": "p1"}]
SERVICES = ("auth", "catalog", "cart", "checkout", "logs", "reco")

#: Path and posted data (None: GET) by the name of the address.
PARTS: dict[str, tuple[str, Any]] = {
    "cart-add": ("/cart/add", {"sku": "SKU-8", "quantity": "1"}),
    "cart-change": ("/cart/change", {"do": "set", "sku": "SKU-8", "quantity": "3"}),
    "consent": ("/consent", {"answer": "no"}),
    "events": ("/events", EVENT),
    "fragment-cart-shelf": ("/fragments/cart-shelf?ids=product-8", None),
    "fragment-consent": ("/fragments/consent", None),
    "fragment-for-you": ("/fragments/for-you", None),
    "fragment-header": ("/fragments/header", None),
    "fragment-order": ("/fragments/orders/HM-000000000000", None),
    "fragment-suggest": ("/fragments/suggest?q=lamp", None),
    "fragment-summary": ("/fragments/summary", FORM | {"shipping_method": "express"}),
    "fragment-trending": ("/fragments/trending/kitchen", None),
}
each_part = pytest.mark.parametrize("name", PARTS)


def ask(client: Client, name: str, **headers: str) -> HttpResponse:
    path, posted = PARTS[name]
    client.raise_request_exception = False
    if posted is None:
        return client.get(path, **(HTMX | headers))  # type: ignore[arg-type, return-value]
    more: Any = {"content_type": "application/json"} if name == "events" else {}
    return client.post(path, posted, **more, **(HTMX | headers))  # type: ignore[return-value]


def assert_the_page_stays(response: HttpResponse) -> None:
    """Assert that the response is a part in its place, or a sentence shown beside it.

    It is never another page.
    """
    text = response.content.decode()
    assert "<html" not in text.lower()
    assert "<main" not in text
    assert response.status_code not in (301, 302, 303, 307, 308), "a redirect loses what was sent"
    if response.status_code >= 400 and response["Content-Type"].startswith("text/html"):
        assert text.count("data-said") == 1
        assert 'role="alert"' in text
    if response.status_code in (429, 503):
        assert int(response["Retry-After"]) >= 1


@pytest.fixture
def shopper(member: Client, backend: Backend) -> Client:
    """Return a signed-in shopper with a lamp in the cart and an order of another."""
    member.post("/cart/add", {"sku": "SKU-8"})
    member.post("/checkout", FORM)
    member.post("/cart/add", {"sku": "SKU-8"})
    assert list(backend.orders) == ["HM-000000000000"]
    return member


def test_every_fragment_is_tested_here() -> None:
    asked = {found for file in TEMPLATES.rglob("*.html") for found in _asked_for(file.read_text())}
    named = {pattern.name for pattern in urls.urlpatterns if pattern.name.startswith("fragment-")}
    reached = {p.name for p in urls.urlpatterns for path in asked if p.pattern.match(path.lstrip("/"))}

    assert named | reached | {"events"} == PARTS.keys()


def _asked_for(template: str) -> set[str]:
    """Return the addresses of a template's `hx-get` and `hx-post`; lists use their own page."""
    found = re.findall(r'hx-(?:get|post)="([^"?]*)', template)
    return {re.sub(r"\{\{.*?\}\}", "x", path) for path in found if not path.startswith("{{")}


def test_errors_are_never_swapped_in() -> None:
    page = (TEMPLATES / "shop" / "base.html").read_text()

    assert '{"code":"[45]..","swap":false,"error":true}' in page


@each_part
def test_a_fragment_is_unchanged_with_an_expired_access_token(shopper: Client, name: str) -> None:
    if name in ("cart-add", "cart-change"):
        ask(shopper, name)  # so that the next response differs only by the token
    before = ask(shopper, name)
    del shopper.cookies["access"]

    after = ask(shopper, name)

    assert after.status_code == before.status_code < 300
    if name != "cart-add":
        assert words(after) == words(before)
    if name not in ("fragment-suggest", "fragment-trending"):  # the same for everybody
        assert name == "consent" or after.cookies["access"].value == TOKEN


@each_part
def test_a_fragment_is_unchanged_with_a_revoked_token(shopper: Client, backend: Backend, name: str) -> None:
    shopper.cookies["access"] = "revoked"
    backend.revoked = {"revoked"}

    response = ask(shopper, name)

    assert response.status_code < 300
    assert_the_page_stays(response)


@each_part
def test_a_session_that_ended_elsewhere_keeps_the_page(shopper: Client, backend: Backend, name: str) -> None:
    del shopper.cookies["access"]
    shopper.cookies["refresh"] = "wrong"
    carts = {"account": dict(backend.carts["account"])}

    for _ in range(2):  # the second time the cookies are gone
        response = ask(shopper, name)
        assert_the_page_stays(response)
        assert response.status_code < 300 or response.status_code == 401
        assert "is empty" not in words(response)

    assert backend.carts["account"] == carts["account"]
    if response.status_code == 401:
        assert "You have been signed out. Nothing in your cart is lost." in words(response)
        assert 'href="/signin?next=%2Fcheckout"' in response.content.decode()


@each_part
def test_an_outage_of_auth_signs_nobody_out(shopper: Client, backend: Backend, name: str) -> None:
    del shopper.cookies["access"]
    backend.down = {"auth"}

    response = ask(shopper, name)

    assert_the_page_stays(response)
    assert response.status_code < 300 or response.status_code == 503
    assert "is empty" not in words(response)
    assert shopper.cookies["refresh"].value == "refresh-2"


@each_part
@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("fault", ["down", 429, 500, 503, "nonsense"])
def test_the_page_stays_whatever_a_service_responds(
    shopper: Client, backend: Backend, name: str, service: str, fault: Any
) -> None:
    if fault == "down":
        backend.down = {service}
    elif fault == 429:
        backend.limited = {service: 4}
    elif fault == "nonsense":
        backend.nonsense = {service}
    else:
        backend.broken = {service: fault}

    for _ in range(FAILURES + 1 if fault == "down" else 1):  # with the breaker open, too
        response = ask(shopper, name)
        assert_the_page_stays(response)
    allowed = {429: (429,), "nonsense": (500, 503)}.get(fault, (503,))
    assert response.status_code < 300 or response.status_code in allowed


@each_part
def test_the_page_stays_with_an_empty_cart(member: Client, backend: Backend, name: str) -> None:
    response = ask(member, name)

    assert_the_page_stays(response)
    assert response.status_code < 300 or response.status_code in (404, 409)


@each_part
def test_a_fragment_requested_by_a_stranger_is_no_server_error(shop: Client, name: str) -> None:
    path, posted = PARTS[name]
    shop.raise_request_exception = False

    answers = [shop.get(path), shop.post(path), shop.post(path, {"country": "BE"})]

    assert all(answer.status_code < 500 for answer in answers)
    assert posted is None or answers[0].status_code == 405


def test_the_summary_stays_and_reports_an_empty_cart(shop: Client) -> None:
    response = shop.post("/fragments/summary", {"country": "BE"})

    assert response.status_code == 409
    assert "There is nothing in your cart any more." in words(response)


def test_the_summary_renews_the_token_and_keeps_its_button(shopper: Client) -> None:
    del shopper.cookies["access"]

    response = ask(shopper, "fragment-summary")

    assert response.status_code == 200
    assert "Order and pay €66.90" in words(response)


# pages whose session ended elsewhere


@pytest.fixture
def signed_out_elsewhere(shopper: Client) -> Client:
    del shopper.cookies["access"]
    shopper.cookies["refresh"] = "wrong"
    return shopper


@pytest.mark.parametrize("path", ["/cart", "/checkout"])
def test_the_cart_of_an_ended_session_is_not_shown_as_empty(signed_out_elsewhere: Client, path: str) -> None:
    for _ in range(2):
        page = signed_out_elsewhere.get(path)
        assert (page.status_code, heading(page)) == (401, "You have been signed out")
        assert "Your cart is safe with your account." in words(page)
        assert field(page, "next") == path
    assert "Cart –" in words(signed_out_elsewhere.get("/fragments/header"))

    back = signed_out_elsewhere.post(
        "/signin", {"email": "ada@example.com", "password": "right", "next": path}
    )

    assert back["Location"] == path
    assert "Floor lamp" in words(signed_out_elsewhere.get(path))


def test_only_personal_pages_ask_to_sign_in_after_an_ended_session(
    signed_out_elsewhere: Client,
) -> None:
    paths = ("/", "/p/floor-lamp", "/search", "/p/no-such-thing", "/orders/HM-000000000000", "/orders")

    answers = {path: signed_out_elsewhere.get(path) for path in paths}

    assert {path: answer.status_code for path, answer in answers.items()} == {
        "/": 200,
        "/p/floor-lamp": 200,
        "/search": 200,
        "/p/no-such-thing": 404,
        "/orders/HM-000000000000": 303,
        "/orders": 303,
    }
    assert answers["/orders/HM-000000000000"]["Location"] == "/signin?next=%2Forders%2FHM-000000000000"


def test_a_guest_may_start_over_after_an_ended_session(signed_out_elsewhere: Client) -> None:
    signed_out_elsewhere.get("/cart")

    signed_out_elsewhere.post("/signout")

    assert "Your cart is empty." in words(signed_out_elsewhere.get("/cart"))


def test_items_added_after_an_ended_session_are_merged(
    signed_out_elsewhere: Client, backend: Backend
) -> None:
    signed_out_elsewhere.post("/cart/add", {"sku": "SKU-10"})
    page = words(signed_out_elsewhere.get("/cart"))
    assert "Green tea" in page
    assert "What was in your account's cart is safe there" in page

    signed_out_elsewhere.post("/signin", {"email": "ada@example.com", "password": "right"})

    assert backend.carts["account"] == {"SKU-8": 1, "SKU-10": 1}


def test_an_order_is_carried_through_the_sign_in(signed_out_elsewhere: Client, backend: Backend) -> None:
    sign_in = signed_out_elsewhere.post("/checkout", FORM)
    assert (sign_in.status_code, heading(sign_in)) == (401, "You have been signed out")
    assert "nothing you typed is lost" in words(sign_in)
    carried = {name: field(sign_in, name) for name in ("again", "again_fields")}

    wrong = signed_out_elsewhere.post("/signin", carried | {"email": "ada@example.com", "password": "wrong"})
    assert {name: field(wrong, name) for name in carried} == carried
    back = signed_out_elsewhere.post("/signin", carried | {"email": "ada@example.com", "password": "right"})
    assert heading(back) == "You are signed in again"
    sent = {name: field(back, name) for name in FORM} | {"update": field(back, "update")}
    page = signed_out_elsewhere.post("/checkout", sent)

    assert typed_values(page) == TYPED
    assert field(page, "key") == "key-1"
    assert len(backend.orders) == 1, "it is shown again before it is ordered"


def test_a_plain_form_is_carried_through_the_sign_in(signed_out_elsewhere: Client) -> None:
    sign_in = signed_out_elsewhere.post("/cart/change", {"do": "remove", "sku": "SKU-8"})
    assert sign_in.status_code == 401

    carried = {name: field(sign_in, name) for name in ("again", "again_fields")}
    back = signed_out_elsewhere.post("/signin", carried | {"email": "ada@example.com", "password": "right"})

    html = back.content.decode()
    assert 'action="/cart/change"' in html
    assert (field(back, "do"), field(back, "sku")) == ("remove", "SKU-8")


@pytest.mark.parametrize("path", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_forms_are_never_carried_to_another_site(shop: Client, path: str) -> None:
    carried = {"again": path, "again_fields": "a=b"}

    response = shop.post("/signin", carried | {"email": "ada@example.com", "password": "right"})

    assert (response.status_code, response["Location"]) == (303, "/")


def test_a_failed_form_can_be_sent_again(guest: Client, backend: Backend) -> None:
    backend.down = {"cart"}

    response = guest.post("/cart/change", {"do": "set", "sku": "SKU-8", "quantity": "4"})

    assert response.status_code == 503
    assert {name: field(response, name) for name in ("do", "sku", "quantity")} == {
        "do": "set",
        "sku": "SKU-8",
        "quantity": "4",
    }
    assert "Try again" in words(response)


def test_auth_down_while_ordering_keeps_the_form(shopper: Client, backend: Backend) -> None:
    del shopper.cookies["access"]
    backend.down = {"auth"}

    response = shopper.post("/checkout", FORM)

    assert response.status_code == 503
    assert "Signing in is taking a break, and your cart waits with your account." in words(response)
    assert typed_values(response) == TYPED


def test_a_second_press_finds_the_order_of_the_first(guest: Client, backend: Backend) -> None:
    first = guest.post("/checkout", FORM)
    backend.answers["POST", "/api/checkout/orders"] = (201, backend.orders["HM-000000000000"], {})

    second = guest.post("/checkout", FORM)

    assert second["Location"] == first["Location"]
    assert [call.headers["idempotency-key"] for call in backend.calls_to("POST", "/api/checkout/orders")] == [
        "key-1",
        "key-1",
    ]
