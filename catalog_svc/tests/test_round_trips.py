"""What an order costs the stock database: each call of a store is one request to CouchDB."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from catalog.services.stock import Line, OutOfStock, UnknownSku
from chassis.couch.memory import MemoryStore
from shop import category, product

ONE = [Line("LAMP", 1)]
TWO = [Line("LAMP", 1), Line("BULB", 2)]


class CountingStore(MemoryStore):
    """Keeps what was asked of it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.asked: list[str] = []

    def get(self, id: str) -> Any:
        self.asked.append("get")
        return super().get(id)

    def get_many(self, ids: Any) -> Any:
        self.asked.append("get_many")
        return super().get_many(ids)

    def put(self, document: Any) -> Any:
        self.asked.append("put")
        return super().put(document)


@pytest.fixture
def stock(world: Any) -> Any:
    world.stores["stock"] = CountingStore("stock")
    world.parts = world.assemble()
    category(world.parts, "lamps")
    for name in ("Lamp", "Bulb"):
        product(world.parts, name, units=10)
    return world


def cost(world: Any, call: Callable[[], object]) -> list[str]:
    """The requests that a call makes."""
    world.stores["stock"].asked.clear()
    call()
    return list(world.stores["stock"].asked)


@pytest.mark.parametrize(
    ("lines", "first", "then"),
    [(ONE, ["get", "put"], ["get", "put"]), (TWO, ["get_many", *["get", "put"] * 2], ["get", "put"] * 2)],
)
def test_an_order_is_read_and_written_once_per_sku_and_call(stock, lines, first, then):
    service = stock.parts.stock

    asked = [
        cost(stock, lambda: service.reserve(order_id="HM-1", lines=lines, ttl=900)),
        cost(stock, lambda: service.commit(order_id="HM-1", lines=lines)),
        cost(stock, lambda: service.release(order_id="HM-1", lines=lines, sold=True)),
    ]

    assert asked == [first, then, then]


@pytest.mark.parametrize(("sku", "error"), [("LAMP", OutOfStock), ("NOPE", UnknownSku)])
def test_what_cannot_be_reserved_costs_one_read(stock, sku, error):
    def refused() -> None:
        with pytest.raises(error):
            stock.parts.stock.reserve(order_id="HM-1", lines=[Line(sku, 11)], ttl=900)

    assert cost(stock, refused) == ["get"]


@pytest.mark.parametrize("how", ["commit", "release"])
def test_an_unknown_sku_is_named_and_the_others_are_finished(stock, how):
    stock.parts.stock.reserve(order_id="HM-1", lines=ONE, ttl=900)

    with pytest.raises(UnknownSku) as unknown:
        getattr(stock.parts.stock, how)(order_id="HM-1", lines=[Line("A", 1), *ONE, Line("Z", 1)])

    assert unknown.value.skus == ["A", "Z"]
    assert stock.parts.stock.get("LAMP").reserved == 0
