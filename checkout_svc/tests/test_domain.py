"""Tests of orders and totals, by example and by property."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from checkout.domain import (
    Address,
    FulfilmentStatus,
    Line,
    Money,
    NotAllowed,
    Order,
    OrderStatus,
    Outcome,
    Payment,
    PaymentState,
    PaymentStatus,
    Refund,
    RefundLine,
    Shipment,
    Step,
    StoredResponse,
    TaxShare,
    TimelineEntry,
    Totals,
    order_number,
    price,
    shipping_method,
    shipping_methods,
    split,
)
from checkout.domain.money import divide_half_up
from checkout.domain.totals import rate

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
LINES = (Line("TEA", 2, Money(1000)), Line("CUP", 1, Money(2500)))


def an_order(**other) -> Order:
    fields = {
        "id": "HM-000000000000",
        "fingerprint": "body",
        "email": "ada@example.com",
        "shipping_address": Address(country="BE", name="Ada", city="Brussels"),
        "shipping_method": "standard",
        "lines": LINES,
        "totals": price(LINES, Money(495), "BE"),
        "payment": PaymentState("pay_1", "card", "tok_ok"),
        "placed_at": NOW,
        "settled": True,
        "timeline": (TimelineEntry(NOW, "placed"),),
        "version": 1,
    }
    return Order(**{**fields, **other})


def a_payment(outcome: Outcome, **other) -> Payment:
    return Payment("pay_1", outcome, Money(4995), last4="4242", **other)


def a_confirmed_order() -> Order:
    order = an_order()
    order.mark_paid(a_payment(Outcome.PAID), NOW)
    order.committed = True
    return order


# -- sums ------------------------------------------------------------------------------------------


def test_totals_include_belgian_vat_of_21_percent():
    totals = price(LINES, Money(495), "BE")

    assert totals == Totals(
        subtotal=Money(4500),
        discount=Money(0),
        shipping=Money(495),
        tax=Money(867),
        tax_rate=2100,
        total=Money(4995),
        taxes=(TaxShare(2100, Money(4128), Money(867), "BE"),),
    )
    assert totals.single_rate == 2100


def test_outside_the_eu_no_vat_is_charged():
    totals = price(LINES, Money(1995), "US")

    assert (totals.tax, totals.tax_rate, totals.total) == (Money(0), 0, Money(6495))


def test_goods_of_a_reduced_rate_and_shipping_are_separate_tax_shares():
    totals = price([Line("BOOK", 1, Money(1060), tax_class="reduced")], Money(121), "BE")

    assert totals.tax == Money(60 + 21)
    assert totals.taxes == (
        TaxShare(600, Money(1000), Money(60), "BE"),
        TaxShare(2100, Money(100), Money(21), "BE"),
    )
    assert totals.single_rate is None


@pytest.mark.parametrize(
    ("parts", "shipping", "single"),
    [
        ([], 0, 0),
        ([("standard", 100), ("standard", 1)], 495, 2100),
        ([("reduced", 100)], 0, 600),
        ([("reduced", 100)], 1, None),
        ([("reduced", 100), ("standard", 0)], 0, 600),
        ([("reduced", 0)], 0, 600),
        ([("reduced", 0), ("zero", 0)], 0, None),
        ([("zero", 100)], 0, 0),
    ],
)
def test_the_single_rate_is_none_where_goods_and_shipping_differ(parts, shipping, single):
    lines = [Line(f"S{n}", 1, Money(cents), tax_class=kind) for n, (kind, cents) in enumerate(parts)]

    assert price(lines, Money(shipping), "BE").single_rate == single


@given(
    st.lists(
        st.tuples(st.integers(0, 10**7), st.integers(1, 99), st.sampled_from(["standard", "reduced", "zero"]))
    ),
    st.integers(0, 5000),
    st.sampled_from(["BE", "DE", "FI", "US", "HU", "FR"]),
    st.integers(0, 100),
)
@example(parts=[(1, 1, "reduced")], shipping=3, country="BE", percent=0)  # came out as 33 %
@example(parts=[(1, 1, "reduced")], shipping=69, country="HU", percent=0)  # and this as 27.27 %
def test_totals_always_add_up_and_tax_is_a_part_of_them(parts, shipping, country, percent):
    lines = [
        Line(f"S{n}", quantity, Money(cents), tax_class=kind)
        for n, (cents, quantity, kind) in enumerate(parts)
    ]
    subtotal = sum(line.line_total.amount for line in lines)
    discount = Money(subtotal * percent // 100)
    rates = {"standard", *(kind for _, _, kind in parts)} if shipping else {kind for _, _, kind in parts}

    totals = price(lines, Money(shipping), country, discount)

    assert totals.total.amount == subtotal - discount.amount + shipping
    assert 0 <= totals.tax.amount <= totals.total.amount
    assert totals.tax.amount == sum(share.amount.amount for share in totals.taxes)
    assert totals.total.amount == sum(share.base.amount + share.amount.amount for share in totals.taxes)
    assert {share.rate for share in totals.taxes} <= {rate(country, kind) for kind in rates}
    for share in totals.taxes:
        gross = share.base.amount + share.amount.amount
        assert share.amount.amount == divide_half_up(gross * share.rate, 10_000 + share.rate)


@given(st.integers(0, 10**6), st.lists(st.integers(0, 10**6), max_size=8))
def test_the_parts_of_a_split_add_up_and_none_exceeds_its_weight(amount, weights):
    amount = min(amount, sum(weights))

    parts = split(amount, weights)

    assert sum(parts) == amount
    assert all(0 <= part <= weight for part, weight in zip(parts, weights, strict=True))
    assert parts == split(amount, weights)


def test_a_split_gives_what_is_over_to_the_largest_remainders_and_ties_to_the_first():
    assert split(10, [1, 1, 1]) == [4, 3, 3]
    assert split(7, [50, 0, 30, 20]) == [4, 0, 2, 1]
    assert split(5, [0, 0]) == [5, 0]
    assert split(0, []) == []


def test_every_country_has_shipping_methods_the_cheapest_first():
    methods = shipping_methods("BE")

    assert [(one.code, one.price.amount) for one in methods] == [("standard", 495), ("express", 995)]
    assert shipping_method("teleport", "BE") is None
    assert shipping_method("standard", "JP") is not None


def test_currencies_do_not_add_up():
    with pytest.raises(ValueError, match="do not add up"):
        Money(1, "EUR") + Money(1, "USD")


# -- numbers ---------------------------------------------------------------------------------------


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_number_is_short_readable_and_always_the_same(scope, key):
    number = order_number(scope, key)

    assert number == order_number(scope, key)
    assert len(number) == 15
    assert set(number[3:]) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")


def test_another_customer_with_the_same_key_gets_another_number():
    assert order_number("account:1", "k") != order_number("account:2", "k")


# -- transitions of an order -----------------------------------------------------------------------


def test_payment_confirms_an_order_for_good():
    order = an_order()

    order.mark_paid(a_payment(Outcome.PAID), NOW)

    assert (order.status, order.payment.status, order.payment.last4) == (
        OrderStatus.CONFIRMED,
        PaymentStatus.PAID,
        "4242",
    )
    assert order.answer == StoredResponse(
        201, order_status=OrderStatus.CONFIRMED, payment_status=PaymentStatus.PAID, happenings=2
    )
    assert order.version == 2
    with pytest.raises(NotAllowed):
        order.mark_paid(a_payment(Outcome.PAID), NOW)
    with pytest.raises(NotAllowed):
        order.begin_compensation("unavailable")


def test_a_refused_payment_is_compensated_and_then_answered_402():
    order = an_order()

    order.mark_payment_failed(a_payment(Outcome.REFUSED, code="card_declined"), NOW)

    assert (order.next_step, order.is_answered) == (Step.COMPENSATE, False)
    order.finish_compensation(NOW)
    assert (order.status, order.next_step, order.is_answered) == (OrderStatus.CANCELLED, None, True)
    assert (order.answer.status, order.answer.members) == (402, {"code": "card_declined"})


def test_an_open_payment_is_accepted_and_its_first_answer_stays():
    order = an_order()

    order.mark_payment_open(a_payment(Outcome.PROCESSING), NOW)
    order.mark_paid(a_payment(Outcome.PAID), NOW)

    assert order.answer.status == 202
    assert order.as_answered().status is OrderStatus.PENDING
    assert order.as_answered().payment.status is PaymentStatus.PROCESSING
    assert [one.what for one in order.as_answered().timeline] == ["placed", "payment_processing"]
    assert [one.what for one in order.timeline] == ["placed", "payment_processing", "confirmed"]


def test_an_abandoned_order_can_be_restarted_under_a_new_hold_id():
    order = an_order()
    order.begin_compensation("unavailable")
    order.finish_compensation(NOW)
    assert order.abandoned
    assert order.hold_id == "HM-000000000000"

    order.restart(an_order(payment=PaymentState("pay_2", "card", "tok_ok")))

    assert (order.status, order.next_step, order.hold_id) == (
        OrderStatus.PENDING,
        Step.PAY,
        "HM-000000000000.2",
    )
    assert order.payment.id == "pay_2"


def test_a_payment_during_the_compensation_confirms_the_order():
    order = an_order()
    order.begin_compensation("cancelled")

    order.confirm_after_all(a_payment(Outcome.PAID), NOW)

    assert order.status is OrderStatus.CONFIRMED


def test_a_confirmed_order_is_cancelled_only_after_its_money_is_back():
    order = a_confirmed_order()

    order.begin_cancel(NOW, "changed my mind")

    everything = (RefundLine("TEA", 2, Money(2000)), RefundLine("CUP", 1, Money(2500)))
    assert order.owed_refunds == (
        Refund(
            "HM-000000000000:cancel",
            NOW,
            Money(4995),
            "changed my mind",
            lines=everything,
            shipping=Money(495),
        ),
    )
    with pytest.raises(NotAllowed):
        order.finish_cancellation(NOW)
    order.mark_refunded("HM-000000000000:cancel", NOW)
    order.finish_cancellation(NOW)
    assert (order.status, order.payment.status) == (OrderStatus.CANCELLED, PaymentStatus.REFUNDED)
    assert order.next_step is None


def test_a_shipped_order_cannot_be_cancelled():
    order = a_confirmed_order()
    order.ship(Shipment("s1", NOW, "bpost", "123", {"TEA": 1}))

    with pytest.raises(NotAllowed) as refused:
        order.begin_cancel(NOW, "")

    assert refused.value.type == "not-cancellable"


def test_parcels_leave_until_everything_has_and_then_arrive():
    order = a_confirmed_order()

    order.ship(Shipment("s1", NOW, "bpost", "1", {"TEA": 2}))
    order.ship(Shipment("s1", NOW, "bpost", "1", {"TEA": 2}))

    assert (order.fulfilment, order.unsent) == (FulfilmentStatus.PARTIALLY_SHIPPED, {"CUP": 1})
    with pytest.raises(NotAllowed):
        order.deliver(NOW)
    with pytest.raises(NotAllowed):
        order.ship(Shipment("s2", NOW, "bpost", "2", {"CUP": 2}))
    order.ship(Shipment("s2", NOW, "bpost", "2", {"CUP": 1}))
    assert order.fulfilment is FulfilmentStatus.SHIPPED
    order.deliver(NOW)
    order.deliver(NOW)
    assert order.fulfilment is FulfilmentStatus.DELIVERED
    assert [one.what for one in order.timeline] == [
        "placed",
        "confirmed",
        "partially_shipped",
        "shipped",
        "delivered",
    ]


# -- leases ----------------------------------------------------------------------------------------


def test_a_lease_excludes_other_workers_until_it_expires():
    order = an_order()

    assert order.acquire_lease("a", NOW)
    assert order.acquire_lease("a", NOW)
    assert not order.acquire_lease("b", NOW + timedelta(seconds=5))
    assert order.acquire_lease("b", NOW + timedelta(seconds=21))


def test_retries_back_off_exponentially_and_mark_the_order_as_stuck():
    order, waits = an_order(), []

    for _ in range(6):
        order.schedule_retry(NOW, "catalog is unavailable")
        waits.append((order.wake_at - NOW).total_seconds())

    assert waits == [1, 2, 4, 8, 15, 15]
    assert (order.stuck, order.trouble, order.version) == (True, "catalog is unavailable", 1)


def test_a_finished_order_has_no_next_attempt():
    order = a_confirmed_order()
    order.release_lease(NOW)
    assert order.wake_at == NOW + timedelta(seconds=30)  # the mail

    order.mark_mailed(NOW)
    order.release_lease(NOW)

    assert (order.next_step, order.wake_at) == (None, None)


def test_an_anonymised_order_keeps_the_sale_without_personal_data():
    order = a_confirmed_order()
    order.account_id = "a1"
    order.events = [{"data": {"account_id": "a1", "session_id": "s", "number": order.id}}]

    order.anonymise()

    assert (order.account_id, order.email, order.payment.last4) == (None, "", "")
    assert order.shipping_address == Address(country="BE")
    assert order.lines == LINES
    assert order.events == [{"data": {"account_id": None, "session_id": None, "number": order.id}}]
