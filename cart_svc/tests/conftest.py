"""Fixtures: a cart service in memory, with a catalogue that tests can change and make unavailable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chassis.testing.django import setup

setup(__file__)

from django.test import Client  # noqa: E402

from cart import container  # noqa: E402
from cart.clients import CatalogUnavailable  # noqa: E402
from cart.domain import Money, Offer  # noqa: E402
from cart.repositories import CARTS, COUPONS  # noqa: E402
from cart.services import CartService, CheckoutCartService, EventHandlers, GuestCartCleanup  # noqa: E402
from chassis.couch import MemoryRepository  # noqa: E402

CUP = Offer("cup", "p1", "Cup", "cup", Money(1200), "in_stock", "/media/cup.webp", {"colour": "red"})
POT = Offer("pot", "p2", "Pot", "pot", Money(2550), "low")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class FakeCatalog:
    """A catalogue in memory; `asked` collects the requested SKUs."""

    def __init__(self, *offers: Offer) -> None:
        self.available = True
        self.asked: list[list[str]] = []
        self._offers = {offer.sku: offer for offer in offers}

    def offers(self, skus: Sequence[str]) -> Mapping[str, Offer]:
        self.asked.append(list(skus))
        if not self.available:
            raise CatalogUnavailable("switched off")
        return {sku: self._offers[sku] for sku in skus if sku in self._offers}

    def put(self, *offers: Offer) -> None:
        self._offers.update((offer.sku, offer) for offer in offers)

    def price(self, sku: str, amount: int) -> None:
        self._offers[sku] = replace(self._offers[sku], price=Money(amount))

    def withdraw(self, sku: str) -> None:
        del self._offers[sku]


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


class World:
    """The service's use cases and the fakes behind them."""

    def __init__(self, carts=None, coupons=None) -> None:
        self.catalog, self.clock = FakeCatalog(CUP, POT), Clock()
        self.carts = carts or MemoryRepository(CARTS)
        self.coupons = coupons or MemoryRepository(COUPONS)
        checkout_cart_service = CheckoutCartService(carts=self.carts, clock=self.clock)
        self.parts = container.Dependencies(
            carts=self.carts,
            coupons=self.coupons,
            cart_service=CartService(
                carts=self.carts, coupons=self.coupons, catalog=self.catalog, clock=self.clock
            ),
            checkout_cart_service=checkout_cart_service,
            event_handlers=EventHandlers(carts=self.carts, checkout_cart_service=checkout_cart_service),
            cleanup=GuestCartCleanup(carts=self.carts, clock=self.clock),
        )


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    with container.container.override(made.parts):
        yield made


@pytest.fixture
def client(world: World) -> Client:
    return Client(raise_request_exception=True)
