"""Documents of before are read in the present shape."""

from __future__ import annotations

from chassis.couch.codec import codec_for
from checkout import repositories
from checkout.domain import Line, Money, TaxShare
from tests.test_domain import an_order, price

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
