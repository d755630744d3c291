"""A collection for tests of the store: fruits, with indexes and views of every kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from chassis.couch import Collection, Index, Repository, View


class Colour(Enum):
    RED = "red"
    GREEN = "green"


@dataclass(slots=True)
class Price:
    amount: int
    currency: str = "EUR"


@dataclass(slots=True)
class Fruit:
    id: str
    name: str
    colour: Colour = Colour.RED
    price: Price = field(default_factory=lambda: Price(100))
    picked: datetime | None = None
    tags: tuple[str, ...] = ()
    type: str = "plain"
    on_hand: int = 0
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


FRUITS = Collection(
    database="fruits",
    kind="fruit",
    type=Fruit,
    indexes=(
        Index("colour", ("colour", "price.amount")),
        Index("picked", ("picked",)),
        Index("type", ("type",)),
    ),
    views=(
        View(
            "stock",
            "function (doc) { if (doc.type === 'fruit') emit([doc.colour, doc.name], doc.on_hand); }",
            "_sum",
            lambda d: [([d["colour"], d["name"]], d["on_hand"])] if d.get("type") == "fruit" else [],
        ),
        View(
            "prices",
            "function (doc) { if (doc.type === 'fruit') emit(doc.colour, doc.price.amount); }",
            "_stats",
            lambda d: [(d["colour"], d["price"]["amount"])] if d.get("type") == "fruit" else [],
        ),
        View(
            "tags",
            "function (doc) { if (doc.type === 'fruit') doc.tags.forEach(function (t) { emit(t, null); }); }",
            None,
            lambda d: [(t, None) for t in d["tags"]] if d.get("type") == "fruit" else [],
        ),
    ),
)


def orchard(repository: Repository[Fruit]) -> None:
    """Six of them, added in no order."""
    for number in (3, 1, 4, 2):
        _fruit(repository, f"r{number}", Colour.RED, number, number)
    for number in (2, 1):
        _fruit(repository, f"g{number}", Colour.GREEN, number, number + 4)


def _fruit(repository: Repository[Fruit], id: str, colour: Colour, number: int, on_hand: int) -> None:
    picked = datetime(2026, 1, number, tzinfo=UTC) if colour is Colour.RED else None
    fruit = Fruit(id, f"fruit-{id}", colour, Price(number * 100), picked, (f"tag-{id}",), on_hand=on_hand)
    repository.add(fruit)
