"""Rate limits: a shopper is told how long to wait, and others are not affected."""

from __future__ import annotations

import pytest
from django.test import Client

from chassis.clients.client import FAILURES
from shop.domain.outages import wait_sentence
from tests.backend import Backend
from tests.pages import field, words
from tests.test_checkout import FORM

ADA = {"email": "ada@example.com"}
#: Page, typed values, the service it calls, a field whose value is kept.
FORMS = [
    ("/signin", ADA | {"password": "right"}, "auth", "email"),
    ("/signup", ADA | {"name": "Ada", "password": "long enough"}, "auth", "email"),
    ("/forgot", ADA, "auth", "email"),
    ("/reset", {"token": "fresh", "password": "long enough"}, "auth", "token"),
    ("/verify/now", {"token": "fresh"}, "auth", "token"),
    ("/checkout", FORM, "checkout", "line1"),
]


@pytest.mark.parametrize(("path", "typed", "service", "kept_field"), FORMS)
def test_a_form_that_reached_a_limit_says_how_long_to_wait(
    guest: Client, backend: Backend, path: str, typed: dict[str, str], service: str, kept_field: str
) -> None:
    backend.limited = {service: 37}

    response = guest.post(path, typed)

    assert (response.status_code, response["Retry-After"]) == (429, "37")
    assert "That was a bit quick. Please wait 37 seconds, then try again." in words(response)
    assert field(response, kept_field) == typed[kept_field]


@pytest.mark.parametrize("htmx", [{}, {"HTTP_HX_REQUEST": "true"}], ids=["page", "fragment"])
@pytest.mark.parametrize(
    ("path", "form"), [("/cart/add", {}), ("/cart/change", {"do": "set", "quantity": "2"})]
)
def test_a_cart_that_reached_a_limit_says_how_long_to_wait(
    guest: Client, backend: Backend, path: str, form: dict[str, str], htmx: dict[str, str]
) -> None:
    backend.limited = {"cart": 1}
    backend.calls.clear()

    response = guest.post(path, form | {"sku": "SKU-8"}, **htmx)

    assert response.status_code == 429
    assert response["Retry-After"] == "1"
    assert "Please wait a second, then try again." in words(response)
    changes = [call for call in backend.calls if call.method != "GET" and call.path.startswith("/api/cart")]
    assert len(changes) == 1, "whoever is asked to slow down does not try again at once"


@pytest.mark.parametrize(("path", "typed", "service", "kept_field"), FORMS)
def test_one_throttled_shopper_does_not_affect_others(
    guest: Client, backend: Backend, path: str, typed: dict[str, str], service: str, kept_field: str
) -> None:
    backend.limited = {service: 37}
    for _ in range(FAILURES + 5):
        guest.post(path, typed, REMOTE_ADDR="192.0.2.1")
    backend.limited = {}

    response = guest.post(path, typed, REMOTE_ADDR="192.0.2.2")

    assert response.status_code in (200, 303)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "10 seconds"),
        (0, "a second"),
        (1.2, "2 seconds"),
        (50, "50 seconds"),
        (61, "a minute"),
        (120, "2 minutes"),
        (3600, "an hour"),
        (7201, "3 hours"),
    ],
)
def test_the_time_to_wait_is_a_sentence(seconds: float | None, said: str) -> None:
    assert wait_sentence(seconds) == f"Please wait {said}, then try again."
