"""Fixtures: a fake backend behind a real socket, and a browser-like client for the pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chassis.testing.django import setup

setup(__file__)

from django.test import Client, override_settings  # noqa: E402 - after Django is set up

from shop.container import bootstrap, container  # noqa: E402
from tests.backend import Backend, running  # noqa: E402


@pytest.fixture
def backend() -> Iterator[Backend]:
    fake = Backend()
    with running(fake) as url, override_settings(GATEWAY_URL=url):
        yield fake


@pytest.fixture
def shop(backend: Backend) -> Iterator[Client]:
    """Return a guest's browser with fresh services that do not wait between attempts."""
    parts = bootstrap(sleep=lambda seconds: None)
    with container.override(parts):
        yield Client()
    parts.catalog.close()


@pytest.fixture
def guest(shop: Client) -> Client:
    """Return a guest with a lamp in the cart."""
    shop.post("/cart/add", {"sku": "SKU-8"})
    return shop


@pytest.fixture
def member(shop: Client) -> Client:
    """Return a signed-in shopper."""
    shop.post("/signin", {"email": "ada@example.com", "password": "right"})
    return shop
