"""Tests of placed orders: cancelling, access, mail and erasure."""

from __future__ import annotations

import pytest

from chassis.couch import NotFound
from checkout.domain import OrderStatus, PaymentStatus
from checkout.services import Viewer, anonymise_orders
from tests.fakes import Crash, Crashing

STAFF = Viewer(account_id="staff-1", may_read=True, may_write=True)


def test_cancelling_a_paid_order_gives_back_money_and_stock_once(shop):
    order = shop.place().order
    guest = Viewer(token=shop.parts.order_service.token(order))

    cancelled = shop.parts.order_service.cancel(order.id, guest)
    again = shop.parts.order_service.cancel(order.id, guest)

    assert (cancelled.status, cancelled.payment.status) == (OrderStatus.CANCELLED, PaymentStatus.REFUNDED)
    assert again == cancelled
    assert (shop.charged(), shop.catalog.on_hand["TEA"]) == (0, 10)
    assert [event["type"] for event in cancelled.events] == ["order.confirmed", "order.cancelled"]


def test_cancelling_restocks_an_order_that_the_catalogue_has_forgotten(shop):
    order = shop.place().order
    shop.catalog.forget()

    for _ in range(2):
        shop.parts.order_service.cancel(order.id, STAFF)

    assert (shop.charged(), shop.catalog.on_hand["TEA"]) == (0, 10)


def test_cancelling_an_order_whose_commit_is_not_known_commits_it_first(shop):
    shop.catalog.unavailable = {"commit"}
    order = shop.place().order
    shop.catalog.unavailable = set()

    shop.parts.order_service.cancel(order.id, STAFF)
    shop.run_recovery()

    assert shop.orders.get(order.id).status is OrderStatus.CANCELLED
    assert (shop.charged(), shop.catalog.on_hand["TEA"], shop.catalog.held) == (0, 10, {})


def test_cancelling_keeps_concurrent_writes(shop):
    order = shop.place().order

    class Busy(type(shop.catalog)):
        """Another writer changes the order once, while the stock is released."""

        written = False

        def release(self, order_id, lines, *, sold=False):
            if not Busy.written:
                Busy.written = True
                shop.orders.update(order.id, lambda o: o.extra.update(mail="sent"))
            super().release(order_id, lines, sold=sold)

    shop.catalog.__class__ = Busy

    cancelled = shop.parts.order_service.cancel(order.id, STAFF)

    assert (cancelled.status, cancelled.extra["mail"]) == (OrderStatus.CANCELLED, "sent")
    assert (shop.charged(), shop.catalog.on_hand["TEA"]) == (0, 10)


@pytest.mark.parametrize(
    ("effect", "when"), [("refund", "before"), ("refund", "after"), ("release", "before")]
)
def test_the_recovery_job_finishes_an_interrupted_cancellation(shop, effect, when):
    order = shop.place().order
    dying = shop.bootstrap(catalog=Crashing(shop.catalog, effect, when))
    dying.saga._payments = Crashing(dying.payments, effect, when)
    with pytest.raises(Crash):
        dying.order_service.cancel(order.id, STAFF)

    shop.run_recovery()

    assert shop.orders.get(order.id).status is OrderStatus.CANCELLED
    assert (shop.charged(), shop.catalog.on_hand["TEA"]) == (0, 10)


def test_only_the_account_the_guest_and_staff_see_an_order(shop):
    guests = shop.place().order
    accounts = shop.place(account_id="a1").order
    order_service = shop.parts.order_service

    assert order_service.get(guests.id, Viewer(token=order_service.token(guests))).id == guests.id
    assert order_service.get(accounts.id, Viewer(account_id="a1")).id == accounts.id
    assert order_service.get(guests.id, STAFF).id == guests.id
    assert order_service.token(accounts) == ""
    for number, viewer in [
        (guests.id, Viewer()),
        (guests.id, Viewer(account_id="a1")),
        (guests.id, Viewer(token="x")),
        (accounts.id, Viewer(account_id="a2")),
        (accounts.id, Viewer(token="")),
        ("HM-NOTHINGHERE0", STAFF),
    ]:
        with pytest.raises(NotFound):
            order_service.get(number, viewer)


def test_the_mail_is_queued_until_it_is_sent_once(shop):
    order = shop.place().order
    shop.mailer.broken = True
    assert not shop.parts.order_mail.send_confirmation(order.id)
    shop.run_recovery(seconds=10)
    assert len(shop.requested_mails) > 1

    shop.mailer.broken = False
    assert shop.parts.order_mail.send_confirmation(order.id)
    assert not shop.parts.order_mail.send_confirmation(order.id)

    (mail,) = shop.mailer.sent
    token = shop.parts.order_service.token(order)
    assert mail.to == "ada@example.com"
    assert f"http://localhost:8000/orders/{order.id}?token={token}" in mail.text
    assert shop.orders.get(order.id).wake_at is None


def test_erasing_an_account_anonymises_its_orders(shop):
    order = shop.place(account_id="a1").order

    assert anonymise_orders(shop.orders, "a1") == 1
    assert anonymise_orders(shop.orders, "a1") == 0

    kept = shop.orders.get(order.id)
    assert (kept.account_id, kept.email, kept.shipping_address.name) == (None, "", "")
    assert kept.totals == order.totals
