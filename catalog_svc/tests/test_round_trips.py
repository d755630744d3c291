"""Requests to the stock database per order: each call of a store is one request to CouchDB."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from catalog.services.stock import OutOfStock, ReservationLine, UnknownSku
from chassis.couch.memory import MemoryStore
from shop import category, product

ONE = [ReservationLine("LAMP", 1)]
TWO = [ReservationLine("LAMP", 1), ReservationLine("BULB", 2)]


class CountingStore(MemoryStore):
    """Store that records its requests."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.enqueued: list[str] = []

    def get(self, id: str) -> Any:
        self.enqueued.append("get")
        return super().get(id)

    def get_many(self, ids: Any) -> Any:
        self.enqueued.append("get_many")
        return super().get_many(ids)

    def put(self, document: Any) -> Any:
        self.enqueued.append("put")
        return super().put(document)


@pytest.fixture
def stock(world: Any) -> Any:
    world.stores["stock"] = CountingStore("stock")
    world.parts = world.bootstrap()
    category(world.parts, "lamps")
    for name in ("Lamp", "Bulb"):
        product(world.parts, name, units=10)
    return world


def cost(world: Any, call: Callable[[], object]) -> list[str]:
    """Return the requests that a call makes."""
    world.stores["stock"].enqueued.clear()
    call()
    return list(world.stores["stock"].enqueued)


@pytest.mark.parametrize(
    ("lines", "first", "then"),
    [(ONE, ["get", "put"], ["get", "put"]), (TWO, ["get_many", *["get", "put"] * 2], ["get", "put"] * 2)],
)
def test_each_sku_is_read_and_written_once_per_call(stock, lines, first, then):
    service = stock.parts.stock

    asked = [
        cost(stock, lambda: service.reserve(order_id="HM-1", lines=lines, ttl=900)),
        cost(stock, lambda: service.commit(order_id="HM-1", lines=lines)),
        cost(stock, lambda: service.release(order_id="HM-1", lines=lines, sold=True)),
    ]

    assert asked == [first, then, then]


@pytest.mark.parametrize(("sku", "error"), [("LAMP", OutOfStock), ("NOPE", UnknownSku)])
def test_a_refused_reservation_costs_one_read(stock, sku, error):
    def refused() -> None:
        with pytest.raises(error):
            stock.parts.stock.reserve(order_id="HM-1", lines=[ReservationLine(sku, 11)], ttl=900)

    assert cost(stock, refused) == ["get"]


@pytest.mark.parametrize("how", ["commit", "release"])
def test_an_unknown_sku_is_named_and_other_lines_are_finished(stock, how):
    stock.parts.stock.reserve(order_id="HM-1", lines=ONE, ttl=900)

    with pytest.raises(UnknownSku) as unknown:
        getattr(stock.parts.stock, how)(
            order_id="HM-1", lines=[ReservationLine("A", 1), *ONE, ReservationLine("Z", 1)]
        )

    assert unknown.value.skus == ["A", "Z"]
    assert stock.parts.stock.get("LAMP").reserved == 0
