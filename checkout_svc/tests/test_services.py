"""Tests of the saga over in-memory repositories and fakes of the other services."""

from __future__ import annotations

import pytest

from checkout import presenters
from checkout.domain import Money, NotAllowed, OrderStatus, Outcome, PaymentStatus
from checkout.services import Basket, DependencyUnavailable, RuleViolation, Viewer

STAFF = Viewer(account_id="staff-1", may_read=True, may_write=True)


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
    assert shop.requested_mails == [order.id]
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


def test_a_replay_works_while_the_catalogue_is_unavailable(shop):
    shop.place()
    shop.catalog.unavailable = {"skus", "reserve"}

    assert shop.place().replay


def test_the_same_key_for_another_body_is_refused(shop):
    shop.place()

    with pytest.raises(RuleViolation) as refused:
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


def test_an_out_of_stock_order_names_the_skus_and_holds_nothing(shop):
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


def test_a_payment_that_times_out_after_the_charge_is_read_and_confirmed(shop):
    placed = shop.place(payment_token="tok_timeout_then_ok")

    assert placed.order.answer.status == 201
    assert shop.charged() == 2495


def test_a_payment_of_unknown_outcome_is_answered_202_and_confirmed_when_it_is_known(shop):
    placed = shop.place(payment_token="tok_timeout_unknown")
    assert (placed.order.answer.status, placed.order.payment.status) == (202, PaymentStatus.PROCESSING)

    shop.run_recovery(seconds=20)

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
        shop.parts.order_service.cancel(placed.order.id, STAFF)

    assert refused.value.type == "payment-in-progress"


def test_a_payment_that_requires_action_is_confirmed_when_approved(shop):
    placed = shop.place(payment_token="tok_requires_action")
    assert placed.order.answer.status == 202
    assert placed.order.payment.next_action.startswith("http")
    shop.run_recovery(seconds=60)

    shop.parts.payments.decide(placed.order.payment.id, approve=True)
    order = shop.parts.order_service.resume_after_decision(placed.order.id)

    assert (order.status, shop.charged()) == (OrderStatus.CONFIRMED, 2495)


def test_a_payment_refused_by_the_shopper_cancels_the_order(shop):
    placed = shop.place(payment_token="tok_requires_action")

    shop.parts.payments.decide(placed.order.payment.id, approve=False)
    order = shop.parts.order_service.resume_after_decision(placed.order.id)

    assert (order.status, order.payment.status) == (OrderStatus.CANCELLED, PaymentStatus.REFUSED)
    assert shop.catalog.available("TEA") == 10


def test_a_payment_that_waits_too_long_for_the_shopper_is_cancelled(shop):
    placed = shop.place(payment_token="tok_requires_action")

    shop.run_recovery(seconds=31 * 60)

    assert shop.orders.get(placed.order.id).status is OrderStatus.CANCELLED
    assert shop.catalog.available("TEA") == 10
    assert shop.parts.payments.decide(placed.order.payment.id, approve=True).outcome is Outcome.CANCELLED


def test_a_shopper_may_cancel_an_order_that_waits_for_the_payment(shop):
    placed = shop.place(payment_token="tok_requires_action")
    token = shop.parts.order_service.token(placed.order)

    order = shop.parts.order_service.cancel(placed.order.id, Viewer(token=token))

    assert (order.status, shop.catalog.available("TEA"), shop.charged()) == (OrderStatus.CANCELLED, 10, 0)


# -- validation before any write -------------------------------------------------------------------


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
def test_rule_violations_are_refused_and_not_stored(shop, other, status, type):
    with pytest.raises(RuleViolation) as refused:
        shop.place(**other)

    assert (refused.value.status, refused.value.type) == (status, type)
    assert shop.orders.count() == 0


def test_an_accounts_cart_is_not_found_for_others(shop):
    cart = shop.fill_cart({"TEA": 1}, account_id="a1")

    with pytest.raises(RuleViolation) as refused:
        shop.place(basket=Basket(cart_id=cart))

    assert refused.value.status == 404
    assert shop.place(basket=Basket(cart_id=cart), account_id="a1").order.account_id == "a1"


def test_an_empty_cart_cannot_be_ordered(shop):
    with pytest.raises(RuleViolation) as refused:
        shop.place(basket=Basket(cart_id=shop.fill_cart({})))

    assert refused.value.type == "cart-empty"


# -- unavailable services --------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["skus", "reserve"])
def test_an_unavailable_catalogue_leaves_nothing_reserved_and_the_key_usable(shop, call):
    cart = shop.fill_cart({"TEA": 2})
    shop.catalog.unavailable = {call}

    with pytest.raises(DependencyUnavailable):
        shop.place(basket=Basket(cart_id=cart))

    shop.run_recovery()
    assert (shop.catalog.held, shop.carts.claims, shop.charged()) == ({}, {}, 0)
    assert shop.parts.order_service.list_for_account("a", limit=10, cursor=None)[0].items == []
    shop.catalog.unavailable = set()
    placed = shop.place(basket=Basket(cart_id=cart))
    assert (placed.order.answer.status, placed.replay, shop.charged()) == (201, False, 2495)


def test_a_reservation_whose_answer_was_lost_is_released(shop):
    shop.catalog.lost_responses, shop.catalog.unavailable = {"reserve"}, {"release"}
    with pytest.raises(DependencyUnavailable):
        shop.place()
    assert shop.catalog.available("TEA") == 8

    shop.catalog.lost_responses = shop.catalog.unavailable = set()
    shop.run_recovery()

    assert (shop.catalog.available("TEA"), shop.charged()) == (10, 0)
    assert shop.place().order.answer.status == 201


@pytest.mark.parametrize("call", ["get", "claim"])
def test_unavailable_carts_refuse_the_order(shop, call):
    cart = shop.fill_cart({"TEA": 2})
    shop.carts.unavailable = {call}

    with pytest.raises(DependencyUnavailable):
        shop.place(basket=Basket(cart_id=cart))

    shop.carts.unavailable = set()
    shop.run_recovery()
    assert shop.place(basket=Basket(cart_id=cart)).order.answer.status == 201


def test_a_paid_order_is_confirmed_and_finished_later_if_services_are_unavailable(shop):
    cart = shop.fill_cart({"TEA": 2})
    shop.catalog.unavailable, shop.carts.unavailable = {"commit"}, {"remove_ordered"}

    placed = shop.place(basket=Basket(cart_id=cart))
    assert (placed.order.answer.status, placed.order.committed) == (201, False)
    shop.run_recovery(seconds=70)
    assert shop.orders.get(placed.order.id).stuck
    shop.catalog.unavailable = shop.carts.unavailable = set()
    shop.run_recovery(seconds=20)

    order = shop.orders.get(placed.order.id)
    assert (order.committed, order.settled, order.stuck) == (True, True, False)
    assert (shop.catalog.on_hand["TEA"], shop.carts.carts[cart].lines) == (8, {})


def test_a_refusal_is_answered_only_after_the_compensation(shop):
    shop.catalog.unavailable = {"release"}
    with pytest.raises(DependencyUnavailable):
        shop.place(payment_token="tok_declined")

    shop.catalog.unavailable = set()
    shop.run_recovery()

    placed = shop.place(payment_token="tok_declined")
    assert (placed.order.answer.status, placed.replay) == (402, True)
    assert shop.catalog.available("TEA") == 10
