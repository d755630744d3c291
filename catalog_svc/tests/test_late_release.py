"""Release of orders that the catalogue has forgotten, over the internal route."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from catalog.services.stock import ReservationLine
from chassis.testing.identity import service_headers
from shop import category, product

LAMPS = [{"sku": "LAMP", "quantity": 2}]


@pytest.fixture
def shop(world: Any) -> Any:
    """Return a shop with ten lamps and five bulbs, of which HM-1 bought two and one."""
    category(world.parts, "lamps")
    for name, units in (("Lamp", 10), ("Bulb", 5)):
        product(world.parts, name, units=units)
    lines = [ReservationLine("LAMP", 2), ReservationLine("BULB", 1)]
    world.parts.stock.reserve(order_id="HM-1", lines=lines, ttl=900)
    world.parts.stock.commit(order_id="HM-1", lines=lines)
    return world


def a_day_later(shop: Any) -> None:
    """Wait a day and write to each SKU, which prunes finished orders."""
    shop.clock.forward(hours=25)
    for sku in ("LAMP", "BULB"):
        shop.parts.stock.adjust(sku=sku, delta=1, reason="found")
        shop.parts.stock.adjust(sku=sku, delta=-1, reason="lost")
        assert shop.parts.stock.get(sku).finished == {}


def release(client: APIClient, order_id: str, body: dict[str, Any]) -> Any:
    headers = service_headers("checkout", "catalog")
    return client.post(f"/internal/reservations/{order_id}/release", body, format="json", headers=headers)


def units(shop: Any) -> dict[str, tuple[int, int]]:
    """Return (on hand, available) by SKU."""
    found = {sku: shop.parts.stock.get(sku) for sku in ("LAMP", "BULB")}
    return {sku: (stock.on_hand, stock.available) for sku, stock in found.items()}


def test_a_forgotten_sold_order_returns_to_the_shelf_once(shop, client):
    a_day_later(shop)
    body = {"lines": [*LAMPS, {"sku": "BULB", "quantity": 1}], "sold": True}

    answers = [release(client, "HM-1", body) for _ in range(2)]

    assert [a.status_code for a in answers] == [200, 200]
    assert answers[0].json() == {"order_id": "HM-1", "status": "released"}
    assert units(shop) == {"LAMP": (10, 10), "BULB": (5, 5)}


def test_a_known_sold_order_returns_its_committed_units(shop, client):
    for _ in range(2):
        release(client, "HM-1", {"lines": [{"sku": "LAMP", "quantity": 9}], "sold": True})

    assert units(shop) == {"LAMP": (10, 10), "BULB": (4, 4)}


def test_held_units_are_released_only_once(shop, client):
    shop.parts.stock.reserve(order_id="HM-2", lines=[ReservationLine("LAMP", 2)], ttl=900)

    release(client, "HM-2", {"lines": LAMPS, "sold": True})

    assert units(shop)["LAMP"] == (8, 8)


@pytest.mark.parametrize("more", [{}, {"sold": False}])
def test_an_unknown_order_that_was_not_sold_leaves_a_tombstone_only(shop, client, more):
    release(client, "HM-9", {"lines": LAMPS, **more})
    release(client, "HM-9", {"lines": LAMPS, "sold": True})

    assert units(shop)["LAMP"] == (8, 8)
    assert shop.parts.stock.get("LAMP").finished["HM-9"].how == "released"


@pytest.mark.parametrize(
    "body",
    [
        {"sold": True}, {"lines": LAMPS, "sold": "true"}, {"lines": LAMPS, "sold": 1},
        {"lines": [*LAMPS, *LAMPS], "sold": True}, {"lines": LAMPS, "gone": True},
    ],
)  # fmt: skip
def test_an_ambiguous_release_is_refused(shop, client, body):
    assert release(client, "HM-1", body).status_code == 400
    assert units(shop)["LAMP"] == (8, 8)


def test_a_commit_does_not_take_sold(shop, client):
    answer = client.post(
        "/internal/reservations/HM-1/commit", {"lines": LAMPS, "sold": True}, format="json",
        headers=service_headers("checkout", "catalog"),
    )  # fmt: skip

    assert answer.status_code == 400
