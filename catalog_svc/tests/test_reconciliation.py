"""Reconciliation of stock with the orders, over the internal routes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from chassis.testing.identity import service_headers
from shop import category, product

DAY = timedelta(days=1)


def checkout() -> dict[str, str]:
    return service_headers("checkout", "catalog")


@pytest.fixture
def shop(world: Any) -> Any:
    category(world.parts, "lamps")
    product(world.parts, "Lamp", units=10)
    return world


def text(moment: Any) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def report(
    client: APIClient, shop: Any, how: str, *, order: str = "HM-1", ago: Any = None, **more: Any
) -> Any:
    """Send checkout's state of an order of two lamps; return [(outcome, available)]."""
    since = shop.clock() - (ago or timedelta(hours=1))
    lines = [{"sku": more.pop("sku", "LAMP"), "quantity": 2}]
    more = {name: text(value) for name, value in more.items()}
    body = {"orders": [{"order_id": order, "how": how, "since": text(since), "lines": lines, **more}]}
    answer = client.post("/internal/reservations/correct", body, format="json", headers=checkout())
    assert answer.status_code == 200, answer.content
    return [(row["outcome"], row["available"]) for row in answer.json()["results"]]


def units(shop: Any) -> tuple[int, int]:
    stock = shop.parts.stock.get("LAMP")
    return stock.on_hand, stock.available


def prepare(shop: Any, state: str, *, order: str = "HM-1") -> None:
    """Bring an order of two lamps into a state in the stock document."""
    if state == "nothing":
        return
    lines = [shop_line()]
    shop.parts.stock.reserve(order_id=order, lines=lines, ttl=60)
    if state == "committed":
        shop.parts.stock.commit(order_id=order, lines=lines)
    if state == "released":
        shop.parts.stock.release(order_id=order, lines=lines)


def shop_line() -> Any:
    from catalog.services.stock import ReservationLine

    return ReservationLine("LAMP", 2)


@pytest.mark.parametrize(
    ("state", "how", "corrections", "after"),
    [
        ("nothing", "held", [("held", 8)], (10, 8)),
        ("held", "held", [], (10, 8)),
        ("committed", "held", [], (8, 8)),
        ("released", "held", [("was-released", 10)], (10, 10)),
        ("nothing", "committed", [("committed", 8)], (8, 8)),
        ("held", "committed", [("committed", 8)], (8, 8)),
        ("committed", "committed", [], (8, 8)),
        ("released", "committed", [("was-released", 10)], (10, 10)),
        ("nothing", "released", [], (10, 10)),
        ("held", "released", [("released", 10)], (10, 10)),
        ("committed", "released", [("returned", 10)], (10, 10)),
        ("released", "released", [], (10, 10)),
    ],
)
def test_every_state_is_reconciled_with_the_order_and_stays_so(shop, client, state, how, corrections, after):
    prepare(shop, state)

    first = report(client, shop, how)
    once = units(shop)
    again = report(client, shop, how)

    assert (first, once) == (corrections, after)
    assert (again, units(shop)) == (
        [] if corrections and corrections[0][0] != "was-released" else corrections,
        after,
    )


def test_an_old_sale_without_a_mark_is_not_applied_twice(shop, client):
    prepare(shop, "committed")
    shop.clock.forward(days=3)
    shop.parts.stock.adjust(sku="LAMP", delta=5, reason="delivery")  # prunes

    assert report(client, shop, "committed", ago=3 * DAY) == []
    assert units(shop) == (13, 13)


def test_all_sales_since_an_old_backup_are_applied_in_several_calls(shop, client):
    shop.clock.forward(days=3)  # the stock is as it was three days ago

    first = report(client, shop, "committed", order="HM-1", ago=2 * DAY)
    second = report(client, shop, "committed", order="HM-2", ago=2 * DAY)

    assert (first, second) == ([("committed", 8)], [("committed", 6)])


def test_a_missing_return_of_a_forgotten_sale_is_applied(shop, client):
    sold_at = shop.clock()
    prepare(shop, "committed")
    shop.clock.forward(days=3)
    shop.parts.stock.adjust(sku="LAMP", delta=1, reason="delivery")

    corrections = report(client, shop, "released", sold_at=sold_at)

    assert (corrections, units(shop)) == ([("returned", 11)], (11, 11))
    assert report(client, shop, "released", sold_at=sold_at) == []


def test_overselling_shows_as_negative_stock(shop, client):
    shop.parts.stock.set_on_hand(sku="LAMP", on_hand=1)

    assert report(client, shop, "committed") == [("committed", -1)]
    assert report(client, shop, "held", order="HM-2") == [("short", -1)]
    shop.parts.stock.set_on_hand(sku="LAMP", on_hand=4)
    assert units(shop) == (4, 4)


def test_an_unknown_sku_is_reported(shop, client):
    assert report(client, shop, "held", sku="GONE") == [("unknown-sku", 0)]


def test_the_stock_list_names_the_orders_of_units(shop, client):
    prepare(shop, "held", order="HM-1")
    prepare(shop, "committed", order="HM-2")
    shop.parts.stock.release(order_id="HM-3", lines=[shop_line()])

    answer = client.get("/internal/reservations?limit=50", headers=checkout()).json()

    orders = [
        {"order_id": "HM-1", "how": "held", "quantity": 2},
        {"order_id": "HM-2", "how": "committed", "quantity": 2},
        {"order_id": "HM-3", "how": "released", "quantity": 0},
    ]
    assert answer == {
        "results": [{"sku": "LAMP", "on_hand": 8, "available": 6, "orders": orders}],
        "next": None,
    }


def test_a_changed_availability_is_published(shop, client):
    shop.parts.stock.set_on_hand(sku="LAMP", on_hand=2)
    prepare(shop, "committed")
    before = len(shop.events("stock"))

    report(client, shop, "released")

    assert shop.events("stock")[before:][0]["type"] == "availability.changed"


@pytest.mark.parametrize("caller", ["cart", None])
def test_only_checkout_may_reconcile(shop, client, caller):
    headers = service_headers(caller, "catalog") if caller else {}

    assert client.get("/internal/reservations", headers=headers).status_code in (401, 403)
    assert client.post("/internal/reservations/correct", {}, headers=headers).status_code in (401, 403)
