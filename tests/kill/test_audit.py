"""The auditor itself: it must find each kind of fault, and nothing where nothing is wrong."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.kill.audit import Evidence, audit

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)


def the_evidence() -> Evidence:
    """Two teas were bought once, of ten; one was sent, and then one paid back with half the shipping."""
    order = {
        "status": "confirmed",
        "committed": True,
        "settled": True,
        "lines": [{"sku": "TEA", "quantity": 2, "unit_price": {"amount": 1000}}],
        "totals": {"total": {"amount": 2495}, "shipping": {"amount": 495}},
        "shipments": [{"id": "s1", "at": "2025-06-01T11:00:00.000Z", "lines": {"TEA": 1}}],
        "refunds": [
            a_refund("r1", at="2025-06-01T11:30:00.000Z", shipping=247),
            a_refund("r2", failure="no"),
        ],
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
        payments={"HM-1": [{"captured": 2495, "refunds": {"r1": 1247}}]},
        stock={"TEA": {"on_hand": 8, "reservations": {}}},
        carts={"c": {"lines": [{"seen": {"sku": "TEA"}, "quantity": 1}]}},
        purchases={("HM-1", "TEA"): 1},
        heard={"HM-1": {"quantities": {"p": 2}}},
        conflicts=[],
        records=[answer, {**answer, "body": {**answer["body"], "request_id": "r"}}, a_cart()],
        supplied={"TEA": 10},
        now=NOW,
    )


def a_refund(id: str, *, shipping: int = 0, at: str = "2025-06-01T11:45:00.000Z", failure: str = "") -> dict:
    """Return a tea's worth, and so much of the shipping."""
    return {
        "id": id,
        "at": at,
        "amount": {"amount": 1000 + shipping},
        "lines": [{"sku": "TEA", "quantity": 1, "amount": {"amount": 1000}}],
        "shipping": {"amount": shipping},
        "failure": failure,
    }


def pay_back(evidence: Evidence, *refunds: dict) -> None:
    """By the order and the provider alike."""
    evidence.orders["HM-1"]["refunds"] += refunds
    for refund in refunds:
        evidence.payments["HM-1"][0]["refunds"][refund["id"]] = refund["amount"]["amount"]


def send(evidence: Evidence, quantity: int, at: str = "2025-06-01T11:50:00.000Z") -> None:
    evidence.orders["HM-1"]["shipments"].append({"id": "s2", "at": at, "lines": {"TEA": quantity}})


def a_cart() -> dict:
    return {"what": "cart", "id": "c", "lines": {"TEA": 1}}


def test_where_nothing_is_wrong_nothing_is_found():
    assert audit(the_evidence()) == []


def pay_back_in_amounts(evidence: Evidence, *, shipping: int) -> None:
    """Return the whole line, as an amount that names no unit."""
    evidence.orders["HM-1"].update(refunds=[], shipments=[])
    evidence.payments["HM-1"][0]["refunds"].clear()
    refund = a_refund("r3", shipping=shipping)
    refund["amount"]["amount"] += 1000
    refund["lines"][0] |= {"quantity": 0, "amount": {"amount": 2000}}
    pay_back(evidence, refund)


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
    "9: a line paid back three times": lambda e: pay_back(e, a_refund("r3"), a_refund("r4")),
    "9: more units than were bought": lambda e: e.orders["HM-1"]["refunds"][0]["lines"][0].update(quantity=3),
    "9: a line that was never bought": lambda e: e.orders["HM-1"]["refunds"][0]["lines"][0].update(sku="CUP"),
    "9: shipping paid back twice": lambda e: pay_back(e, a_refund("r3", shipping=249)),
    "9: a refund that is not its parts": lambda e: e.orders["HM-1"]["refunds"][0]["shipping"].update(
        amount=1
    ),
    "9: a refund that only the provider knows": lambda e: e.payments["HM-1"][0]["refunds"].update(x=1),
    "9: sent after it was paid back": lambda e: send(e, 1),
    "9: more sent than was bought": lambda e: send(e, 2, at="2025-06-01T11:10:00.000Z"),
    "9: sent after its money was paid back": lambda e: (pay_back_in_amounts(e, shipping=0), send(e, 1)),
    "9: sent after all was paid back": lambda e: (pay_back_in_amounts(e, shipping=495), send(e, 1)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found(fault):
    evidence = the_evidence()

    FAULTS[fault](evidence)

    assert fault[:2] in {finding[:2] for finding in audit(evidence)}
