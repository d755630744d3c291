"""Tests that documents of older schemas are read in the present schema."""

from __future__ import annotations

from chassis.couch.codec import codec_for
from checkout import repositories
from checkout.domain import Line, Money, PaymentStatus, Refund, RefundLine, TaxShare
from tests.test_domain import NOW, a_confirmed_order, an_order, price

CODEC = codec_for(repositories.ORDERS)


def of_schema_1(order) -> dict:
    document = CODEC.encode(order)
    document["schema"] = 1
    del document["totals"]["taxes"]
    return document


def test_an_order_with_one_rate_worked_backwards_gets_the_rates_of_its_goods_and_shipping():
    lines = (Line("BOOK", 1, Money(1), tax_class="reduced"),)
    order = an_order(lines=lines, totals=price(lines, Money(3), "BE"))
    document = of_schema_1(order)
    document["totals"]["tax_rate"] = 3333

    upgraded = CODEC.decode(document)

    assert upgraded.totals == order.totals
    assert upgraded.totals.single_rate is None
    assert upgraded.totals.taxes == (
        TaxShare(600, Money(1), Money(0), "BE"),
        TaxShare(2100, Money(2), Money(1), "BE"),
    )


def test_an_order_with_one_rate_keeps_it():
    assert CODEC.decode(of_schema_1(an_order())) == an_order()


def of_schema_2(order) -> dict:
    document = CODEC.encode(order)
    document["schema"] = 2
    for refund in document["refunds"]:
        del refund["lines"], refund["shipping"], refund["failure"]
    return document


def test_refunds_without_lines_are_split_over_what_was_left_of_lines_and_shipping():
    order = a_confirmed_order()
    order.refunds = (
        Refund("r1", NOW, Money(1000), "late", done_at=NOW),
        Refund("r2", NOW, Money(3995), "lost"),
    )

    upgraded = CODEC.decode(of_schema_2(order))

    assert [(one.id, one.amount, one.done_at) for one in upgraded.refunds] == [
        ("r1", Money(1000), NOW),
        ("r2", Money(3995), None),
    ]
    assert upgraded.refunds[0].lines == (RefundLine("TEA", 0, Money(400)), RefundLine("CUP", 0, Money(501)))
    assert upgraded.refunds[0].shipping == Money(99)
    assert (upgraded.balance.left, upgraded.unsent) == (0, {})
    assert CODEC.decode(CODEC.encode(upgraded)) == upgraded
    upgraded.mark_refunded("r2", NOW)
    assert upgraded.payment.status is PaymentStatus.REFUNDED


def test_an_order_without_refunds_stays_as_it_is():
    assert CODEC.decode(of_schema_2(a_confirmed_order())) == a_confirmed_order()
