"""What is sent to the siblings, as it goes over the wire."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from chassis.siblings import Sibling
from chassis.siblings.client import transport
from checkout.clients import SiblingCatalog
from checkout.services import Correction, Fate, StockBook, Truth


@dataclass
class Wire:
    """Says yes to everything, and keeps what was asked: path and body."""

    asked: list[tuple[str, Any]] = field(default_factory=list)

    def __call__(self, method, url, *, body, **how):
        self.asked.append((url.partition("/internal")[2], json.loads(body)))
        return 200, {"Content-Type": "application/json"}, b"{}"


@pytest.mark.parametrize(("sold", "more"), [(False, {}), (True, {"sold": True})])
def test_a_release_says_whether_it_was_sold(sold, more):
    wire = Wire()

    with transport.override(wire):
        SiblingCatalog(Sibling("catalog")).release("HM-1", {"TEA": 2, "CUP": 1}, sold=sold)

    lines = [{"sku": "CUP", "quantity": 1}, {"sku": "TEA", "quantity": 2}]
    assert wire.asked == [("/reservations/HM-1/release", {"lines": lines, **more})]


@dataclass
class Pages:
    """Answers one after the other."""

    answers: list[Any]
    asked: list[tuple[str, Any]] = field(default_factory=list)

    def __call__(self, method, url, *, body, **how):
        self.asked.append((url.partition("/internal")[2], json.loads(body) if body else None))
        return 200, {"Content-Type": "application/json"}, json.dumps(self.answers.pop(0)).encode()


def test_a_correction_is_told_with_its_moments():
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    done = {"order_id": "HM-1", "sku": "TEA", "outcome": "committed", "available": 3}
    wire = Pages([{"results": [done]}])

    with transport.override(wire):
        truth = Truth("HM-1", Fate.COMMITTED, {"TEA": 2}, moment)
        told = SiblingCatalog(Sibling("catalog")).correct([truth])

    sent = {
        "order_id": "HM-1", "how": "committed", "since": "2026-03-01T12:00:00+00:00", "sold_at": None,
        "lines": [{"sku": "TEA", "quantity": 2}],
    }  # fmt: skip
    assert wire.asked == [("/reservations/correct", {"orders": [sent]})]
    assert told == [Correction("HM-1", "TEA", "committed")]


def test_all_pages_of_the_stock_are_read():
    page = {"sku": "TEA", "on_hand": 5, "available": 3, "orders": [
        {"order_id": "HM-1", "how": "held", "quantity": 2}]}  # fmt: skip
    wire = Pages([{"results": [page], "next": "c1"}, {"results": [page | {"sku": "POT"}], "next": None}])

    with transport.override(wire):
        books = list(SiblingCatalog(Sibling("catalog")).books())

    assert [path for path, _ in wire.asked] == [
        "/reservations?limit=100",
        "/reservations?limit=100&cursor=c1",
    ]
    assert books == [StockBook(sku, 3, {"HM-1": (Fate.HELD, 2)}) for sku in ("TEA", "POT")]
