"""The service's parts over memory repositories, and small siblings that obey the real ones' rules."""

from __future__ import annotations

from chassis.testing.django import setup

setup(__file__)

import pytest  # noqa: E402
from django.test import Client  # noqa: E402

from tests.fakes import Shop  # noqa: E402


@pytest.fixture
def shop():
    """A catalogue with three SKUs of ten each, no carts, and everything of checkout over memory."""
    shop = Shop()
    with shop.wired():
        yield shop


@pytest.fixture
def client(shop) -> Client:
    return Client(raise_request_exception=True)
