"""Tests of a shop without a payment provider: it quotes, but takes no orders and says so."""

from __future__ import annotations

import re

import pytest
from django.test import override_settings

from chassis.observability import health
from chassis.testing.bad_input import assert_problem
from chassis.testing.identity import bearer
from checkout import container
from checkout.domain import NotConfigured
from checkout.services import Viewer
from tests.fakes import Shop
from tests.requests import BODY, QUOTE, post
from tests.test_admin import staff  # noqa: F401 - a fixture

STAFF = Viewer(account_id="staff-1", may_read=True, may_write=True)


@pytest.fixture
def shop():
    """Return a shop outside demo mode, with no provider configured."""
    with override_settings(DEMO=False):
        shop = Shop()
        with shop.wired():
            yield shop


def demo_order(shop):
    """Place an order as if the shop were still a demo."""
    with override_settings(DEMO=True):
        return shop.bootstrap().place_order.place(shop.command()).order


def test_an_order_is_refused_before_prices_or_stock_are_requested(client, shop):
    cart = shop.fill_cart({"TEA": 2})
    answers = [
        post(client),
        post(client, {**{k: v for k, v in BODY.items() if k != "lines"}, "cart_id": cart}, key="k2"),
        post(client, key="k3", **bearer(sub="a1")),
    ]

    for answer in answers:
        problem = assert_problem(answer, 503)
        assert problem["type"] == "payment-not-configured"
        assert int(answer["Retry-After"]) >= 600
    assert (shop.catalog.calls, shop.carts.claims, shop.orders.count(), shop.ledger.count()) == ([], {}, 0, 0)
    assert shop.slept == []


def test_the_same_key_buys_once_a_provider_is_there(client, shop):
    assert post(client).status_code == 503

    with override_settings(DEMO=True), container.container.override(shop.bootstrap()):
        assert post(client).status_code == 201


def test_quotes_and_shipping_methods_work_without_a_provider(client, shop):
    quote = post(client, QUOTE, key=None, url="/api/checkout/quotes")
    methods = client.get("/api/checkout/shipping-methods?country=BE")

    assert (quote.status_code, methods.status_code) == (200, 200)


def test_payment_methods_are_listed(client, shop):
    assert client.get("/api/checkout/payment-methods").json() == {"results": []}
    with override_settings(DEMO=True), container.container.override(shop.bootstrap()):
        assert client.get("/api/checkout/payment-methods").json() == {
            "results": [{"code": "card", "test": True}]
        }


def test_demo_orders_are_replayed_and_their_owed_refunds_are_shown_as_stuck(client, shop):
    order = demo_order(shop)

    replayed = shop.place()
    shop.parts.order_service.cancel(order.id, STAFF)
    shop.run_recovery(seconds=60)

    assert (replayed.replay, replayed.order.id) == (True, order.id)
    kept = shop.orders.get(order.id)
    assert (kept.stuck, kept.trouble) == (True, "no payment provider is configured")
    assert len(kept.owed_refunds) == 1


def test_the_test_payments_page_is_gone(client, shop):
    url = container.action_url("pay_HM-000000000000").removeprefix("http://localhost:8000")

    assert_problem(client.get(url), 404)
    assert_problem(client.post(url, {"decision": "approve"}), 404)


def test_a_shop_without_a_provider_can_be_reconciled(shop):
    report = shop.parts.reconciler.run()

    assert (report.payments, report.findings) == (0, [])
    with pytest.raises(NotConfigured):
        shop.parts.payments.get("pay_1")


def test_the_service_is_degraded_and_still_ready(client, shop):
    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "degraded", "missing": ["payment provider"]},
    )
    with override_settings(DEMO=True), container.container.override(shop.bootstrap()):
        assert client.get("/readyz").json() == {"status": "ok", "missing": []}
    assert health.verdict(["couch"], container.SPARE) == "missing"


def test_the_admin_says_what_is_missing_and_what_is_a_demo(shop, staff):  # noqa: F811
    def page() -> str:
        return re.sub(r"\s+", " ", staff().get("/admin/checkout/").content.decode())

    missing = page()
    with override_settings(DEMO=True), container.container.override(shop.bootstrap()):
        demo = page()

    assert "no provider is configured: orders are refused as payment-not-configured" in missing
    assert "This is a demo" not in missing
    assert "test cards pay; no money moves" in demo
    assert "This is a demo: test cards pay, and nothing is sent." in demo
    assert "no mail server is configured" in demo


def test_a_mail_of_a_demo_says_so():
    for demo, count in [(True, 1), (False, 0)]:
        with override_settings(DEMO=True):
            shop = Shop()
            number = shop.place().order.id
        with override_settings(DEMO=demo):
            shop.bootstrap().order_mail.send_confirmation(number)

        (mail,) = shop.mailer.sent
        assert mail.text.count("This shop is a demo: nothing was charged") == count
