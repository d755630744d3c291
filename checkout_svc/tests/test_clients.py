"""Tests of the requests that the service clients send."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from chassis.clients import ServiceClient
from chassis.clients.client import transport
from checkout.clients import CatalogClient
from checkout.services import Correction, ExpectedReservation, ReservationStatus, StockSnapshot


@dataclass
class Wire:
    """A transport that accepts every request and records its path and body."""

    asked: list[tuple[str, Any]] = field(default_factory=list)

    def __call__(self, method, url, *, body, **how):
        self.asked.append((url.partition("/internal")[2], json.loads(body)))
        return 200, {"Content-Type": "application/json"}, b"{}"


@pytest.mark.parametrize(("sold", "more"), [(False, {}), (True, {"sold": True})])
def test_a_release_sends_the_sold_flag(sold, more):
    wire = Wire()

    with transport.override(wire):
        CatalogClient(ServiceClient("catalog")).release("HM-1", {"TEA": 2, "CUP": 1}, sold=sold)

    lines = [{"sku": "CUP", "quantity": 1}, {"sku": "TEA", "quantity": 2}]
    assert wire.asked == [("/reservations/HM-1/release", {"lines": lines, **more})]


@dataclass
class Pages:
    """A transport that returns the given responses in order."""

    answers: list[Any]
    asked: list[tuple[str, Any]] = field(default_factory=list)

    def __call__(self, method, url, *, body, **how):
        self.asked.append((url.partition("/internal")[2], json.loads(body) if body else None))
        return 200, {"Content-Type": "application/json"}, json.dumps(self.answers.pop(0)).encode()


def test_a_correction_sends_its_times():
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    done = {"order_id": "HM-1", "sku": "TEA", "outcome": "committed", "available": 3}
    wire = Pages([{"results": [done]}])

    with transport.override(wire):
        reservation = ExpectedReservation("HM-1", ReservationStatus.COMMITTED, {"TEA": 2}, moment)
        corrections = CatalogClient(ServiceClient("catalog")).correct([reservation])

    sent = {
        "order_id": "HM-1", "how": "committed", "since": "2026-03-01T12:00:00+00:00", "sold_at": None,
        "lines": [{"sku": "TEA", "quantity": 2}],
    }  # fmt: skip
    assert wire.asked == [("/reservations/correct", {"orders": [sent]})]
    assert corrections == [Correction("HM-1", "TEA", "committed")]


def test_all_pages_of_the_stock_are_read():
    page = {"sku": "TEA", "on_hand": 5, "available": 3, "orders": [
        {"order_id": "HM-1", "how": "held", "quantity": 2}]}  # fmt: skip
    wire = Pages([{"results": [page], "next": "c1"}, {"results": [page | {"sku": "POT"}], "next": None}])

    with transport.override(wire):
        books = list(CatalogClient(ServiceClient("catalog")).stock_snapshots())

    assert [path for path, _ in wire.asked] == [
        "/reservations?limit=100",
        "/reservations?limit=100&cursor=c1",
    ]
    assert books == [StockSnapshot(sku, 3, {"HM-1": (ReservationStatus.HELD, 2)}) for sku in ("TEA", "POT")]
