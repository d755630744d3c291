"""The demo's made-up history."""

from datetime import UTC, datetime
from itertools import groupby

from local.seed import goods
from local.seed.history import visits

NOW = datetime(2026, 11, 23, tzinfo=UTC)
GOODS = goods.load()
EVENTS = list(visits(GOODS, {good.title: good.title for good in GOODS}, NOW))


def test_the_history_is_deterministic():
    assert list(visits(GOODS, {good.title: good.title for good in GOODS}, NOW)) == EVENTS


def test_an_order_total_is_on_its_first_line_only():
    prices = {good.title: good.price for good in GOODS}
    bought = [event for event in EVENTS if event["type"] == "purchase"]
    orders = [list(lines) for _, lines in groupby(bought, lambda event: event["session_id"])]

    assert len(orders) > 50
    for first, *others in orders:
        paid = sum(prices[line["product_id"]] for line in (first, *others))
        assert first["data"]["total"] == {"amount": paid, "currency": "EUR"}
        assert not any("total" in line["data"] for line in others)
