"""The auditor itself: it must find each kind of fault, and nothing where nothing is wrong."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.kill.audit import Evidence, audit

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)


def the_evidence() -> Evidence:
    """Two teas were bought once, of ten."""
    order = {
        "status": "confirmed",
        "committed": True,
        "settled": True,
        "lines": [{"sku": "TEA", "quantity": 2}],
        "totals": {"total": {"amount": 2495}},
        "refunds": [],
        "events": [{"type": "order.confirmed"}],
    }
    answer = {
        "what": "order",
        "key": "k",
        "lines": {"TEA": 2},
        "status": 201,
        "body": {"number": "HM-1", "x": 1},
    }
    return Evidence(
        orders={"HM-1": order},
        payments={"HM-1": [{"captured": 2495, "refunds": {}}]},
        stock={"TEA": {"on_hand": 8, "reservations": {}}},
        carts={"c": {"lines": [{"seen": {"sku": "TEA"}, "quantity": 1}]}},
        purchases={("HM-1", "TEA"): 1},
        heard={"HM-1": {"quantities": {"p": 2}}},
        conflicts=[],
        records=[answer, {**answer, "body": {**answer["body"], "request_id": "r"}}, a_cart()],
        supplied={"TEA": 10},
        now=NOW,
    )


def a_cart() -> dict:
    return {"what": "cart", "id": "c", "lines": {"TEA": 1}}


def test_where_nothing_is_wrong_nothing_is_found():
    assert audit(the_evidence()) == []


FAULTS = {
    "1: oversold": lambda e: e.stock["TEA"].update(on_hand=7),
    "1: more held than there is": lambda e: e.stock["TEA"].update(
        reservations={"HM-2": {"quantity": 9, "until": "2025-06-01T12:00:00.000Z"}}
    ),
    "2: pending": lambda e: e.orders["HM-1"].update(status="pending"),
    "2: answered 201 and cancelled": lambda e: e.orders["HM-1"].update(status="cancelled"),
    "2: not finished": lambda e: e.orders["HM-1"].update(committed=False),
    "3: charged twice": lambda e: e.payments["HM-1"].append({"captured": 2495, "refunds": {}}),
    "3: charged too little": lambda e: e.payments["HM-1"][0].update(captured=1),
    "3: not charged": lambda e: e.payments.clear(),
    "3: charged for nothing": lambda e: e.payments.update({"HM-9": [{"captured": 1, "refunds": {}}]}),
    "4: another answer": lambda e: e.records[1]["body"].update(x=2),
    "4: one order for two keys": lambda e: e.records[1].update(key="k2"),
    "5: order lost": lambda e: e.orders.clear(),
    "5: cart line lost": lambda e: e.carts.clear(),
    "5: other lines": lambda e: e.records[0].update(lines={"TEA": 1}),
    "6: not heard": lambda e: e.purchases.clear(),
    "6: heard twice": lambda e: e.purchases.update({("HM-1", "TEA"): 2}),
    "6: the catalogue did not hear": lambda e: e.heard.clear(),
    "7: conflict": lambda e: e.conflicts.append("order:HM-1"),
    "8: held for ever": lambda e: e.stock["TEA"].update(
        reservations={"HM-1": {"quantity": 1, "until": "2025-06-01T10:00:00.000Z"}}
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found(fault):
    evidence = the_evidence()

    FAULTS[fault](evidence)

    assert fault[:2] in {finding[:2] for finding in audit(evidence)}
