"""The saga, over memory repositories and siblings that keep the real ones' rules."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest

from chassis.couch import NotFound
from checkout import presenters
from checkout.domain import Money, NotAllowed, OrderStatus, Outcome, PaymentStatus, Refund
from checkout.services import Away, Basket, Refusal, Viewer, anonymise_orders

STAFF = Viewer(account_id="staff-1", may_read=True, may_write=True)


class Crash(BaseException):
    """The process is gone."""


def confirmed(shop) -> int:
    return sum(1 for order in shop.orders.find("id") if order.status is OrderStatus.CONFIRMED)


def test_a_paid_order_is_confirmed_its_stock_sold_and_its_cart_emptied_in_two_writes(shop):
    cart = shop.fill_cart({"TEA": 2, "CUP": 1})

    placed = shop.place(basket=Basket(cart_id=cart))

    order = placed.order
    assert (order.status, order.payment.status, placed.replay) == (
        OrderStatus.CONFIRMED,
        PaymentStatus.PAID,
        False,
    )
    assert order.totals.total == Money(4995)
    assert shop.catalog.on_hand == {"TEA": 8, "CUP": 9, "POT": 10}
    assert shop.carts.carts[cart].lines == {}
    assert shop.charged() == 4995
    assert shop.asked == [order.id]
    assert [event["type"] for event in order.events] == ["order.confirmed"]
    assert order.events[0]["data"] == {
        "order_id": order.id,
        "number": order.id,
        "account_id": None,
        "session_id": None,
        "cart_id": cart,
        "lines": [
            {
                "sku": "TEA",
                "product_id": "p-TEA",
                "quantity": 2,
                "unit_price": {"amount": 1000, "currency": "EUR"},
            },
            {
                "sku": "CUP",
                "product_id": "p-CUP",
                "quantity": 1,
                "unit_price": {"amount": 2500, "currency": "EUR"},
            },
        ],
        "total": {"amount": 4995, "currency": "EUR"},
    }
    assert order.rev.startswith("2-")


def test_the_same_key_gives_the_same_answer_and_charges_once(shop):
    cart = shop.fill_cart({"TEA": 2})
    first = shop.place(basket=Basket(cart_id=cart))

    again = shop.place(basket=Basket(cart_id=cart))

    assert again.replay
    assert again.order.as_answered() == first.order.as_answered()
    assert shop.charged() == 2495


def test_the_same_key_gives_the_same_answer_also_while_the_catalogue_is_away(shop):
    shop.place()
    shop.catalog.away = {"skus", "reserve"}

    assert shop.place().replay


def test_the_same_key_for_another_body_is_refused(shop):
    shop.place()

    with pytest.raises(Refusal) as refused:
        shop.place(fingerprint="another")

    assert (refused.value.status, refused.value.type) == (422, "idempotency-key-reused")


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("tok_declined", "card_declined"),
        ("tok_insufficient_funds", "insufficient_funds"),
        ("tok_error", "processing_error"),
    ],
)
def test_a_refused_payment_puts_stock_and_cart_back(shop, token, code):
    cart = shop.fill_cart({"TEA": 2})

    placed = shop.place(basket=Basket(cart_id=cart), payment_token=token)

    answer = placed.order.answer
    assert (answer.status, answer.problem, answer.members) == (402, "payment-refused", {"code": code})
    assert shop.catalog.available("TEA") == 10
    assert shop.carts.claims == {}
    assert shop.carts.carts[cart].lines == {"TEA": 2}
    assert shop.charged() == 0
    assert shop.place(basket=Basket(cart_id=cart), payment_token=token).replay
    assert shop.place(basket=Basket(cart_id=cart), key="key-2").order.answer.status == 201


def test_an_order_that_is_short_says_of_what_and_keeps_nothing(shop):
    cart = shop.fill_cart({"TEA": 11, "CUP": 1})

    placed = shop.place(basket=Basket(cart_id=cart))

    answer = placed.order.answer
    assert (answer.status, answer.problem) == (409, "out-of-stock")
    assert answer.members == {"short": [{"sku": "TEA", "available": 10}]}
    assert (shop.catalog.held, shop.carts.claims, shop.charged()) == ({}, {}, 0)
    assert shop.place(basket=Basket(cart_id=cart)).replay


def test_a_second_order_of_the_same_cart_is_refused(shop):
    cart = shop.fill_cart({"TEA": 1})
    shop.carts.claims[cart] = "HM-OTHER"

    placed = shop.place(basket=Basket(cart_id=cart))

    assert (placed.order.answer.status, placed.order.answer.problem) == (409, "cart-claimed")
    assert (shop.catalog.held, shop.carts.claims) == ({}, {cart: "HM-OTHER"})


def test_a_payment_that_times_out_after_the_charge_is_asked_about_and_confirmed(shop):
    placed = shop.place(payment_token="tok_timeout_then_ok")

    assert placed.order.answer.status == 201
    assert shop.charged() == 2495


def test_a_payment_of_unknown_outcome_is_answered_202_and_confirmed_when_it_is_known(shop):
    placed = shop.place(payment_token="tok_timeout_unknown")
    assert (placed.order.answer.status, placed.order.payment.status) == (202, PaymentStatus.PROCESSING)

    shop.sweep(seconds=20)

    order = shop.orders.get(placed.order.id)
    assert (order.status, order.payment.status, order.committed) == (
        OrderStatus.CONFIRMED,
        PaymentStatus.PAID,
        True,
    )
    assert shop.charged() == 2495
    again = shop.place(payment_token="tok_timeout_unknown")
    assert presenters.order(again.order.as_answered()) == presenters.order(placed.order.as_answered())


def test_a_payment_of_unknown_outcome_cannot_be_cancelled(shop):
    placed = shop.place(payment_token="tok_timeout_unknown")

    with pytest.raises(NotAllowed) as refused:
        shop.parts.desk.cancel(placed.order.id, STAFF)

    assert refused.value.type == "payment-in-progress"


def test_a_payment_that_needs_its_shopper_waits_and_goes_on_when_approved(shop):
    placed = shop.place(payment_token="tok_requires_action")
    assert placed.order.answer.status == 202
    assert placed.order.payment.next_action.startswith("http")
    shop.sweep(seconds=60)

    shop.parts.payments.decide(placed.order.payment.id, approve=True)
    order = shop.parts.desk.payment_decided(placed.order.id)

    assert (order.status, shop.charged()) == (OrderStatus.CONFIRMED, 2495)


def test_a_payment_that_its_shopper_refuses_ends_the_order(shop):
    placed = shop.place(payment_token="tok_requires_action")

    shop.parts.payments.decide(placed.order.payment.id, approve=False)
    order = shop.parts.desk.payment_decided(placed.order.id)

    assert (order.status, order.payment.status) == (OrderStatus.CANCELLED, PaymentStatus.REFUSED)
    assert shop.catalog.available("TEA") == 10


def test_a_payment_that_waits_for_its_shopper_too_long_is_called_off(shop):
    placed = shop.place(payment_token="tok_requires_action")

    shop.sweep(seconds=31 * 60)

    assert shop.orders.get(placed.order.id).status is OrderStatus.CANCELLED
    assert shop.catalog.available("TEA") == 10
    assert shop.parts.payments.decide(placed.order.payment.id, approve=True).outcome is Outcome.CANCELLED


def test_a_shopper_may_cancel_an_order_that_waits_for_the_payment(shop):
    placed = shop.place(payment_token="tok_requires_action")
    token = shop.parts.desk.token(placed.order)

    order = shop.parts.desk.cancel(placed.order.id, Viewer(token=token))

    assert (order.status, shop.catalog.available("TEA"), shop.charged()) == (OrderStatus.CANCELLED, 10, 0)


# -- what is checked before anything is written ----------------------------------------------------


@pytest.mark.parametrize(
    ("other", "status", "type"),
    [
        ({"basket": Basket(lines={"NOPE": 1})}, 422, "unknown-sku"),
        ({"basket": Basket(cart_id="nobody")}, 404, "not-found"),
        ({"shipping_method": "teleport"}, 422, "unknown-shipping-method"),
        ({"payment_token": "tok_made_up"}, 422, "unknown-payment-token"),
        ({"expected_total": Money(1)}, 422, "total-changed"),
        ({"expected_total": Money(2495, "USD")}, 422, "total-changed"),
    ],
)
def test_what_a_rule_forbids_is_refused_and_not_stored(shop, other, status, type):
    with pytest.raises(Refusal) as refused:
        shop.place(**other)

    assert (refused.value.status, refused.value.type) == (status, type)
    assert shop.orders.count() == 0


def test_an_accounts_cart_is_not_there_for_anyone_else(shop):
    cart = shop.fill_cart({"TEA": 1}, account_id="a1")

    with pytest.raises(Refusal) as refused:
        shop.place(basket=Basket(cart_id=cart))

    assert refused.value.status == 404
    assert shop.place(basket=Basket(cart_id=cart), account_id="a1").order.account_id == "a1"


def test_an_empty_cart_cannot_be_ordered(shop):
    with pytest.raises(Refusal) as refused:
        shop.place(basket=Basket(cart_id=shop.fill_cart({})))

    assert refused.value.type == "cart-empty"


# -- siblings away -----------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["skus", "reserve"])
def test_with_the_catalogue_away_nothing_is_half_written_and_the_key_works_afterwards(shop, call):
    cart = shop.fill_cart({"TEA": 2})
    shop.catalog.away = {call}

    with pytest.raises(Away):
        shop.place(basket=Basket(cart_id=cart))

    shop.sweep()
    assert (shop.catalog.held, shop.carts.claims, shop.charged()) == ({}, {}, 0)
    assert shop.parts.desk.mine("a", limit=10, cursor=None)[0].items == []
    shop.catalog.away = set()
    placed = shop.place(basket=Basket(cart_id=cart))
    assert (placed.order.answer.status, placed.replay, shop.charged()) == (201, False, 2495)


def test_a_reservation_whose_answer_was_lost_is_released(shop):
    shop.catalog.lost, shop.catalog.away = {"reserve"}, {"release"}
    with pytest.raises(Away):
        shop.place()
    assert shop.catalog.available("TEA") == 8

    shop.catalog.lost = shop.catalog.away = set()
    shop.sweep()

    assert (shop.catalog.available("TEA"), shop.charged()) == (10, 0)
    assert shop.place().order.answer.status == 201


@pytest.mark.parametrize("call", ["get", "claim"])
def test_with_the_carts_away_an_order_is_not_taken(shop, call):
    cart = shop.fill_cart({"TEA": 2})
    shop.carts.away = {call}

    with pytest.raises(Away):
        shop.place(basket=Basket(cart_id=cart))

    shop.carts.away = set()
    shop.sweep()
    assert shop.place(basket=Basket(cart_id=cart)).order.answer.status == 201


def test_after_the_payment_an_order_is_confirmed_whoever_is_away_and_finished_later(shop):
    cart = shop.fill_cart({"TEA": 2})
    shop.catalog.away, shop.carts.away = {"commit"}, {"settle"}

    placed = shop.place(basket=Basket(cart_id=cart))
    assert (placed.order.answer.status, placed.order.committed) == (201, False)
    shop.sweep(seconds=70)
    assert shop.orders.get(placed.order.id).stuck
    shop.catalog.away = shop.carts.away = set()
    shop.sweep(seconds=20)

    order = shop.orders.get(placed.order.id)
    assert (order.committed, order.settled, order.stuck) == (True, True, False)
    assert (shop.catalog.on_hand["TEA"], shop.carts.carts[cart].lines) == (8, {})


def test_a_refusal_is_told_only_after_everything_was_given_back(shop):
    shop.catalog.away = {"release"}
    with pytest.raises(Away):
        shop.place(payment_token="tok_declined")

    shop.catalog.away = set()
    shop.sweep()

    placed = shop.place(payment_token="tok_declined")
    assert (placed.order.answer.status, placed.replay) == (402, True)
    assert shop.catalog.available("TEA") == 10


# -- crashes ---------------------------------------------------------------------------------------

EFFECTS = ["claim", "reserve", "create", "commit", "settle", "save"]


class Crashing:
    """Passes everything on; dies before or after the call ``name``."""

    def __init__(self, target, name: str, when: str) -> None:
        self._target, self._name, self._when = target, name, when

    def __getattr__(self, name):
        found = getattr(self._target, name)
        return found if name != self._name else self._dying(found)

    def _dying(self, found):
        def call(*args, **kwargs):
            if self._when == "before":
                raise Crash
            found(*args, **kwargs)
            raise Crash

        return call


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize("token", ["tok_ok", "tok_declined", "tok_timeout_then_ok"])
@pytest.mark.parametrize("retry", [True, False])
def test_a_process_that_dies_around_any_effect_loses_and_doubles_nothing(shop, when, effect, token, retry):
    cart = shop.fill_cart({"TEA": 2})
    wish = {"basket": Basket(cart_id=cart), "payment_token": token}
    parts = shop.assemble(
        orders=Crashing(shop.orders, effect, when),
        catalog=Crashing(shop.catalog, effect, when),
        carts=Crashing(shop.carts, effect, when),
    )
    if effect == "create":
        parts.saga._payments = Crashing(parts.payments, effect, when)
    with contextlib.suppress(Crash):
        parts.placing.place(shop.wish(**wish))

    shop.sweep(seconds=60)
    if retry:
        shop.place(**wish)

    (order,) = shop.orders.find("id").items
    assert order.next_step in (None, *(["mail"] if token != "tok_declined" else []))
    if token == "tok_declined":
        assert (order.status, shop.charged(), shop.catalog.available("TEA")) == (OrderStatus.CANCELLED, 0, 10)
        assert shop.carts.carts[cart].lines == {"TEA": 2}
    else:
        assert (order.status, shop.charged(), shop.catalog.on_hand["TEA"]) == (OrderStatus.CONFIRMED, 2495, 8)
        assert shop.carts.carts[cart].lines == {}
    assert (shop.catalog.held, shop.carts.claims) == ({}, {})


def test_a_worker_that_was_paused_before_paying_cannot_pay_for_an_order_that_was_given_up(shop):
    slow = shop.assemble()
    held = {}

    def pause(request):
        held["request"] = request
        raise Crash

    slow.saga._payments = replace_create(slow.payments, pause)
    with pytest.raises(Crash):
        slow.placing.place(shop.wish())
    shop.clock.forward(seconds=30)
    shop.catalog.away = {"reserve"}
    with pytest.raises(Away):  # the retry takes over, cannot hold, and gives up
        shop.place()

    payment = shop.parts.payments.create(held["request"])

    assert payment.outcome is Outcome.CANCELLED
    assert (shop.charged(), shop.catalog.available("TEA")) == (0, 10)


def replace_create(provider, create):
    class Slow:
        def __getattr__(self, name):
            return create if name == "create" else getattr(provider, name)

    return Slow()


def test_a_twin_waits_for_the_first_and_gives_up_after_five_seconds(shop):
    dying = shop.assemble(catalog=Crashing(shop.catalog, "reserve", "before"))
    with pytest.raises(Crash):
        dying.placing.place(shop.wish())

    with pytest.raises(Refusal) as refused:
        shop.place()

    assert (refused.value.status, refused.value.type) == (409, "idempotency-in-progress")
    assert round(sum(shop.slept)) == 5


def test_a_retry_after_the_lease_ended_goes_on_by_itself(shop):
    dying = shop.assemble(catalog=Crashing(shop.catalog, "reserve", "after"))
    with pytest.raises(Crash):
        dying.placing.place(shop.wish())
    shop.clock.forward(seconds=21)

    placed = shop.place()

    assert (placed.order.answer.status, placed.replay, shop.charged()) == (201, False, 2495)


# -- afterwards ------------------------------------------------------------------------------------


def test_cancelling_a_paid_order_gives_back_money_and_stock_once(shop):
    order = shop.place().order
    guest = Viewer(token=shop.parts.desk.token(order))

    cancelled = shop.parts.desk.cancel(order.id, guest)
    again = shop.parts.desk.cancel(order.id, guest)

    assert (cancelled.status, cancelled.payment.status) == (OrderStatus.CANCELLED, PaymentStatus.REFUNDED)
    assert again == cancelled
    assert (shop.charged(), shop.catalog.on_hand["TEA"]) == (0, 10)
    assert [event["type"] for event in cancelled.events] == ["order.confirmed", "order.cancelled"]


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


def test_staff_refund_a_part_once_per_key_and_it_is_written_down(shop):
    order = shop.place().order
    refund = Refund("r1", shop.clock(), Money(495), "late", fingerprint="f")

    shop.parts.desk.refund(order.id, refund, actor="staff-1")
    refunded = shop.parts.desk.refund(order.id, refund, actor="staff-1")

    assert (refunded.payment.status, shop.charged()) == (PaymentStatus.PARTIALLY_REFUNDED, 2000)
    with pytest.raises(NotAllowed) as refused:
        shop.parts.desk.refund(order.id, replace(refund, id="r2", amount=Money(2001)), actor="staff-1")
    assert refused.value.type == "refund-too-large"
    assert "audit.recorded" in [event["type"] for event in refunded.events]


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
