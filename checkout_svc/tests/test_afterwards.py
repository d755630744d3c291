"""What happens to an order after it was placed."""

from __future__ import annotations

import pytest

from chassis.couch import NotFound
from checkout.domain import OrderStatus, PaymentStatus
from checkout.services import Viewer, anonymise_orders
from tests.fakes import Crash, Crashing

STAFF = Viewer(account_id="staff-1", may_read=True, may_write=True)


def test_cancelling_a_paid_order_gives_back_money_and_stock_once(shop):
    order = shop.place().order
    guest = Viewer(token=shop.parts.desk.token(order))

    cancelled = shop.parts.desk.cancel(order.id, guest)
    again = shop.parts.desk.cancel(order.id, guest)

    assert (cancelled.status, cancelled.payment.status) == (OrderStatus.CANCELLED, PaymentStatus.REFUNDED)
    assert again == cancelled
    assert (shop.charged(), shop.catalog.on_hand["TEA"]) == (0, 10)
    assert [event["type"] for event in cancelled.events] == ["order.confirmed", "order.cancelled"]


def test_cancelling_puts_the_stock_back_when_the_catalogue_has_forgotten_the_order(shop):
    order = shop.place().order
    shop.catalog.forget()

    for _ in range(2):
        shop.parts.desk.cancel(order.id, STAFF)

    assert (shop.charged(), shop.catalog.on_hand["TEA"]) == (0, 10)


def test_cancelling_an_order_whose_commit_is_not_known_commits_it_first(shop):
    shop.catalog.away = {"commit"}
    order = shop.place().order
    shop.catalog.away = set()

    shop.parts.desk.cancel(order.id, STAFF)
    shop.sweep()

    assert shop.orders.get(order.id).status is OrderStatus.CANCELLED
    assert (shop.charged(), shop.catalog.on_hand["TEA"], shop.catalog.held) == (0, 10, {})


def test_a_cancellation_takes_in_what_others_write_meanwhile(shop):
    order = shop.place().order

    class Busy(type(shop.catalog)):
        """Somebody else writes to the order while the stock is given back, once."""

        written = False

        def release(self, order_id, lines, *, sold=False):
            if not Busy.written:
                Busy.written = True
                shop.orders.update(order.id, lambda o: o.extra.update(mail="sent"))
            super().release(order_id, lines, sold=sold)

    shop.catalog.__class__ = Busy

    cancelled = shop.parts.desk.cancel(order.id, STAFF)

    assert (cancelled.status, cancelled.extra["mail"]) == (OrderStatus.CANCELLED, "sent")
    assert (shop.charged(), shop.catalog.on_hand["TEA"]) == (0, 10)


@pytest.mark.parametrize(("away", "when"), [("refund", "before"), ("refund", "after"), ("release", "before")])
def test_a_cancellation_that_is_interrupted_is_finished_by_the_sweeper(shop, away, when):
    order = shop.place().order
    dying = shop.assemble(catalog=Crashing(shop.catalog, away, when))
    dying.saga._payments = Crashing(dying.payments, away, when)
    with pytest.raises(Crash):
        dying.desk.cancel(order.id, STAFF)

    shop.sweep()

    assert shop.orders.get(order.id).status is OrderStatus.CANCELLED
    assert (shop.charged(), shop.catalog.on_hand["TEA"]) == (0, 10)


def test_an_order_is_there_for_its_account_its_guest_and_staff_and_for_nobody_else(shop):
    guests = shop.place().order
    accounts = shop.place(account_id="a1").order
    desk = shop.parts.desk

    assert desk.get(guests.id, Viewer(token=desk.token(guests))).id == guests.id
    assert desk.get(accounts.id, Viewer(account_id="a1")).id == accounts.id
    assert desk.get(guests.id, STAFF).id == guests.id
    assert desk.token(accounts) == ""
    for number, viewer in [
        (guests.id, Viewer()),
        (guests.id, Viewer(account_id="a1")),
        (guests.id, Viewer(token="x")),
        (accounts.id, Viewer(account_id="a2")),
        (accounts.id, Viewer(token="")),
        ("HM-NOTHINGHERE0", STAFF),
    ]:
        with pytest.raises(NotFound):
            desk.get(number, viewer)


def test_the_mail_is_sent_once_and_asked_for_again_while_it_is_not(shop):
    order = shop.place().order
    shop.post.broken = True
    assert not shop.parts.mailing.send_confirmation(order.id)
    shop.sweep(seconds=10)
    assert len(shop.asked) > 1

    shop.post.broken = False
    assert shop.parts.mailing.send_confirmation(order.id)
    assert not shop.parts.mailing.send_confirmation(order.id)

    (mail,) = shop.post.sent
    token = shop.parts.desk.token(order)
    assert mail.to == "ada@example.com"
    assert f"http://localhost:8000/orders/{order.id}?token={token}" in mail.text
    assert shop.orders.get(order.id).wake_at is None


def test_an_erased_accounts_orders_stay_without_the_person(shop):
    order = shop.place(account_id="a1").order

    assert anonymise_orders(shop.orders, "a1") == 1
    assert anonymise_orders(shop.orders, "a1") == 0

    kept = shop.orders.get(order.id)
    assert (kept.account_id, kept.email, kept.shipping_address.name) == (None, "", "")
    assert kept.totals == order.totals
