"""A demo says on every page that it is one, and no other shop does."""

from __future__ import annotations

import pytest
from django.test import Client, RequestFactory, override_settings

from shop.views import responses
from tests.backend import Backend
from tests.pages import words

LINE = "This is a demo: no money moves, and nothing is sent."
PAGES = [
    "/",
    "/search?q=lamp",
    "/cart",
    "/checkout",
    "/signin",
    "/signup",
    "/privacy",
    "/nowhere",
    "/orders/HM-1",
]


@pytest.mark.parametrize("path", PAGES)
def test_only_a_demo_shows_the_demo_notice(guest: Client, path: str) -> None:
    with override_settings(DEMO=True):
        demo = words(guest.get(path))
    with override_settings(DEMO=False):
        real = words(guest.get(path))

    assert demo.count(LINE) == 1
    assert "demo" not in real.lower()


def test_error_pages_show_the_demo_notice(guest: Client, backend: Backend) -> None:
    backend.down.add("checkout")
    with override_settings(DEMO=True):
        unavailable = guest.get("/orders/HM-1")
        broken = responses.server_error(RequestFactory().get("/"))

    assert (unavailable.status_code, broken.status_code) == (503, 500)
    assert LINE in words(unavailable)
    assert LINE in words(broken)
