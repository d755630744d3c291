"""Stock that is older or newer than the orders is made to agree with them, over the internal routes."""

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


def tell(client: APIClient, shop: Any, how: str, *, order: str = "HM-1", ago: Any = None, **more: Any) -> Any:
    """What checkout says of two lamps; the answer is [(outcome, available)]."""
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


def bring(shop: Any, state: str, *, order: str = "HM-1") -> None:
    """An order of two lamps in the stock's own books."""
    if state == "nothing":
        return
    lines = [shop_line()]
    shop.parts.stock.reserve(order_id=order, lines=lines, ttl=60)
    if state == "committed":
        shop.parts.stock.commit(order_id=order, lines=lines)
    if state == "released":
        shop.parts.stock.release(order_id=order, lines=lines)


def shop_line() -> Any:
    from catalog.services.stock import Line

    return Line("LAMP", 2)


@pytest.mark.parametrize(
    ("state", "how", "told", "after"),
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
def test_every_state_is_brought_to_what_the_order_says_and_stays_there(shop, client, state, how, told, after):
    bring(shop, state)

    first = tell(client, shop, how)
    once = units(shop)
    again = tell(client, shop, how)

    assert (first, once) == (told, after)
    assert (again, units(shop)) == ([] if told and told[0][0] != "was-released" else told, after)


def test_a_sale_of_long_ago_that_left_no_mark_is_not_taken_twice(shop, client):
    bring(shop, "committed")
    shop.clock.forward(days=3)
    shop.parts.stock.adjust(sku="LAMP", delta=5, reason="delivery")  # prunes

    assert tell(client, shop, "committed", ago=3 * DAY) == []
    assert units(shop) == (13, 13)


def test_sales_since_an_old_backup_are_all_taken_however_many_calls_that_needs(shop, client):
    shop.clock.forward(days=3)  # the stock is as it was three days ago

    first = tell(client, shop, "committed", order="HM-1", ago=2 * DAY)
    second = tell(client, shop, "committed", order="HM-2", ago=2 * DAY)

    assert (first, second) == ([("committed", 8)], [("committed", 6)])


def test_a_return_that_the_stock_has_not_seen_of_a_sale_that_it_has_forgotten(shop, client):
    sold_at = shop.clock()
    bring(shop, "committed")
    shop.clock.forward(days=3)
    shop.parts.stock.adjust(sku="LAMP", delta=1, reason="delivery")

    told = tell(client, shop, "released", sold_at=sold_at)

    assert (told, units(shop)) == ([("returned", 11)], (11, 11))
    assert tell(client, shop, "released", sold_at=sold_at) == []


def test_more_sold_than_there_was_shows_below_zero_and_is_for_a_person(shop, client):
    shop.parts.stock.count(sku="LAMP", on_hand=1)

    assert tell(client, shop, "committed") == [("committed", -1)]
    assert tell(client, shop, "held", order="HM-2") == [("short", -1)]
    shop.parts.stock.count(sku="LAMP", on_hand=4)
    assert units(shop) == (4, 4)


def test_an_sku_that_is_gone_is_told(shop, client):
    assert tell(client, shop, "held", sku="GONE") == [("unknown-sku", 0)]


def test_the_books_tell_whose_the_units_are(shop, client):
    bring(shop, "held", order="HM-1")
    bring(shop, "committed", order="HM-2")
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


def test_a_lamp_that_comes_back_into_stock_is_told_to_the_others(shop, client):
    shop.parts.stock.count(sku="LAMP", on_hand=2)
    bring(shop, "committed")
    before = len(shop.events("stock"))

    tell(client, shop, "released")

    assert shop.events("stock")[before:][0]["type"] == "availability.changed"


@pytest.mark.parametrize("caller", ["cart", None])
def test_only_checkout_may(shop, client, caller):
    headers = service_headers(caller, "catalog") if caller else {}

    assert client.get("/internal/reservations", headers=headers).status_code in (401, 403)
    assert client.post("/internal/reservations/correct", {}, headers=headers).status_code in (401, 403)
