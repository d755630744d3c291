"""Fixtures: the service over in-memory repositories and fakes of the other services."""

from __future__ import annotations

from chassis.testing.django import setup

setup(__file__)

import pytest  # noqa: E402
from django.test import Client  # noqa: E402

from tests.fakes import Shop  # noqa: E402


@pytest.fixture
def shop():
    """Return checkout over memory, a catalogue with ten each of three SKUs, and no carts."""
    shop = Shop()
    with shop.wired():
        yield shop


@pytest.fixture
def client(shop) -> Client:
    return Client(raise_request_exception=True)
