"""Tests after a restore: orders, stock and payments come from different moments."""

from __future__ import annotations

import copy
import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from checkout.domain import OrderStatus
from checkout.services import Basket, Correction, Finding, Viewer

STAFF = Viewer(account_id="staff-1", may_read=True, may_write=True)


def reconcile(shop):
    """Return the first report; check that a second run finds the same and changes nothing."""
    first = shop.parts.reconciler.run()
    before = stock(shop)
    second = shop.parts.reconciler.run()
    assert (second.changes, second.findings, stock(shop)) == ([], first.findings, before)
    return first


def stock(shop):
    return shop.catalog.on_hand["TEA"], shop.catalog.available("TEA")


def capture_stock(shop):
    """Copy the stock and return a function that restores it."""
    kept = copy.deepcopy((shop.catalog.on_hand, shop.catalog.held, shop.catalog.sold, shop.catalog.released))

    def restore():
        shop.catalog.on_hand, shop.catalog.held, shop.catalog.sold, shop.catalog.released = kept

    return restore


def restore_order(shop, older):
    """Overwrite an order with an older version, as a restored backup does."""
    older = copy.deepcopy(older)
    older.rev = shop.orders.get(older.id).rev
    shop.orders.save(older)


def test_consistent_data_is_not_changed(shop):
    shop.place()
    cancelled = shop.place(key="k2").order
    shop.parts.order_service.cancel(cancelled.id, STAFF)

    report = reconcile(shop)

    assert (report.orders, report.payments, report.skus, report.waiting) == (2, 2, 3, 0)
    assert (report.changes, report.findings, stock(shop)) == ([], [], (8, 8))


def test_sales_missing_from_older_stock_are_committed_again(shop):
    first = shop.place().order
    restore = capture_stock(shop)
    second = shop.place(key="k2", basket=Basket(lines={"TEA": 3, "CUP": 1})).order
    cancelled = shop.place(key="k3").order
    shop.parts.order_service.cancel(cancelled.id, STAFF)
    restore()

    report = reconcile(shop)

    assert {(c.hold_id, c.sku, c.outcome) for c in report.changes} == {
        (second.id, "TEA", "committed"),
        (second.id, "CUP", "committed"),
    }
    assert (report.findings, stock(shop), shop.catalog.on_hand["CUP"]) == ([], (5, 5), 9)
    assert first.id in shop.catalog.sold


def test_units_of_a_cancellation_missing_from_the_stock_are_returned(shop):
    order = shop.place().order
    restore = capture_stock(shop)
    shop.parts.order_service.cancel(order.id, STAFF)
    restore()

    report = reconcile(shop)

    assert report.changes == [Correction(order.id, "TEA", "returned")]
    assert stock(shop) == (10, 10)


def test_the_units_of_a_pending_order_are_reserved_again(shop):
    restore = capture_stock(shop)
    order = shop.place(payment_token="tok_requires_action").order
    restore()

    report = reconcile(shop)

    assert report.changes == [Correction(order.id, "TEA", "held")]
    assert (report.waiting, report.findings, stock(shop)) == (1, [], (10, 8))


def test_unpaid_units_of_a_lost_order_are_released(shop):
    order = shop.place(payment_token="tok_requires_action").order
    shop.orders.delete(shop.orders.get(order.id))

    report = reconcile(shop)

    assert report.changes == [Correction(order.id, "TEA", "released")]
    assert (report.findings, stock(shop)) == ([], (10, 10))


def test_paid_units_of_a_lost_order_stay_sold_and_are_a_finding(shop):
    order = shop.place().order
    shop.orders.delete(shop.orders.get(order.id))

    report = reconcile(shop)

    detail = f"{order.totals.total.amount} minor units were taken and there is no order"
    assert report.findings == [Finding("captured-without-order", order.payment.id, detail)]
    assert (report.changes, stock(shop)) == ([], (8, 8))


def test_a_confirmed_order_without_a_capture_is_a_finding(shop):
    order = shop.place().order
    shop.ledger.delete(shop.ledger.get(order.payment.id))

    report = reconcile(shop)

    assert [(f.kind, f.about) for f in report.findings] == [("order-without-capture", order.id)]


def test_a_refund_missing_from_an_older_order_is_a_finding(shop):
    order = shop.place().order
    older = shop.orders.get(order.id)
    shop.parts.order_service.cancel(order.id, STAFF)
    restore_order(shop, older)

    report = reconcile(shop)

    assert [(f.kind, f.about) for f in report.findings] == [
        ("refund-unknown-to-order", order.id),
        ("released-but-confirmed", order.id),
    ]
    assert (report.changes, stock(shop)) == ([], (10, 10))


def test_an_order_paid_after_the_backup_is_confirmed_by_the_recovery_job(shop):
    order = shop.place(payment_token="tok_timeout_unknown").order
    older = shop.orders.get(order.id)
    shop.run_recovery(seconds=40)
    assert shop.orders.get(order.id).status is OrderStatus.CONFIRMED
    restore_order(shop, older)

    report = reconcile(shop)
    shop.run_recovery(seconds=70)

    assert (report.changes, report.findings, report.waiting) == ([], [], 1)
    assert shop.orders.get(order.id).status is OrderStatus.CONFIRMED
    assert (stock(shop), shop.charged()) == ((8, 8), order.totals.total.amount)


def test_an_order_cancelled_after_the_backup_is_cancelled_again(shop):
    order = shop.place(payment_token="tok_requires_action").order
    older = shop.orders.get(order.id)
    shop.clock.advance(minutes=40)
    shop.run_recovery(seconds=40)
    assert shop.orders.get(order.id).status is OrderStatus.CANCELLED
    restore_order(shop, older)

    report = shop.parts.reconciler.run()
    shop.run_recovery(seconds=40)

    assert report.changes == [Correction(order.id, "", "undone")]
    assert shop.orders.get(order.id).status is OrderStatus.CANCELLED
    assert (stock(shop), shop.charged()) == ((10, 10), 0)


def test_oversold_stock_is_a_finding(shop):
    restore = capture_stock(shop)
    shop.place(basket=Basket(lines={"TEA": 6}))
    restore()
    shop.catalog.on_hand["TEA"] = 4

    report = reconcile(shop)

    assert report.findings == [Finding("oversold", "TEA", "2 more are sold or held than there are")]


def test_a_cancelled_order_without_its_refund_is_a_finding(shop):
    order = shop.place().order
    shop.parts.order_service.cancel(order.id, STAFF)
    entry = shop.ledger.get(order.payment.id)
    entry.refunds.clear()
    shop.ledger.save(entry)

    kinds = [finding.kind for finding in reconcile(shop).findings]

    assert kinds == ["captured-but-cancelled", "refund-unknown-to-provider"]


def run(*options):
    """Run the command and return its exit code and output."""
    out, code = StringIO(), 0
    try:
        call_command("reconcile", *options, wait=0, stdout=out)
    except SystemExit as end:
        code = end.code
    return code, out.getvalue()


def test_the_command_exits_with_0_if_everything_agrees(shop):
    shop.place()

    code, text = run()

    assert code == 0
    assert "looked at 1 orders, 1 payments, 3 SKUs" in text
    assert text.endswith("everything agrees\n")


def test_the_command_exits_with_1_on_findings(shop):
    order = shop.place().order
    shop.orders.delete(shop.orders.get(order.id))

    code, text = run("--json")

    assert code == 1
    assert json.loads(text)["findings"][0]["kind"] == "captured-without-order"
    assert "PLEASE LOOK: captured-without-order" in run()[1]


def test_the_command_exits_with_2_if_it_could_not_finish(shop):
    shop.place()
    shop.catalog.unavailable = {"correct"}

    with pytest.raises(CommandError) as caught:
        run()

    assert caught.value.returncode == 2
