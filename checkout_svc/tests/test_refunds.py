"""Tests of refunds by line and quantity, with the sandbox provider's ledger.

No cent is refunded twice, and nothing refunded is shipped.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkout.domain import (
    FulfilmentStatus,
    Line,
    Money,
    NotAllowed,
    OrderStatus,
    PaymentStatus,
    ProviderDown,
    RefundLine,
    RefundRefused,
    RefundRequest,
    Shipment,
    UnknownPayment,
    price,
)
from checkout.services import Basket, DependencyUnavailable, RuleViolation, Viewer
from tests.fakes import Shop
from tests.test_domain import NOW, a_confirmed_order

STAFF = Viewer(account_id="staff-1", may_read=True, may_write=True)
BASKET = Basket(lines={"TEA": 3, "CUP": 1})


def a_refund(id: str = "r1", *, amount: int | None = None, **lines: int) -> RefundRequest:
    money = None if amount is None else Money(amount)
    return RefundRequest(id, NOW, "broken", fingerprint=f"{amount} {lines}", amount=money, lines=lines)


def a_parcel(id: str = "s1", **lines: int) -> Shipment:
    return Shipment(id, NOW, "bpost", "1", lines)


class FailingProvider:
    """A provider whose refunds fail with ``error``."""

    def __init__(self, provider) -> None:
        self._provider, self.error = provider, None

    def refund(self, payment_id, amount, key):
        if self.error:
            raise self.error
        self._provider.refund(payment_id, amount, key)

    def __getattr__(self, name):
        return getattr(self._provider, name)


@pytest.fixture
def provider(shop) -> FailingProvider:
    failing = FailingProvider(shop.parts.payments)
    shop.parts.saga._payments = failing
    return failing


@pytest.fixture
def order(shop):
    return shop.place(basket=BASKET).order


@pytest.fixture
def refund(shop, order):
    def refund(request: RefundRequest):
        return shop.parts.order_service.refund(order.id, request, actor="staff-1")

    return refund


@pytest.fixture
def ship(shop, order):
    def ship(parcel: Shipment):
        return shop.parts.order_service.ship(order.id, parcel, actor="staff-1")

    return ship


def refused(act, *arguments) -> str:
    with pytest.raises((NotAllowed, RuleViolation)) as caught:
        act(*arguments)
    return caught.value.type


# -- units -----------------------------------------------------------------------------------------


def test_units_are_refunded_at_the_price_paid_and_only_once(shop, refund):
    refunded = refund(a_refund(TEA=2))

    assert (refunded.payment.status, shop.charged()) == (PaymentStatus.PARTIALLY_REFUNDED, 3995)
    assert refunded.refunds[0].lines == (RefundLine("TEA", 2, Money(2000)),)
    assert refunded.refunds[0].shipping == Money(0)
    assert refused(refund, a_refund("r2", TEA=2)) == "refund-too-large"
    assert refused(refund, a_refund("r2", CUP=2)) == "refund-too-large"
    assert refused(refund, a_refund("r2", POT=1)) == "not-refundable"
    assert refund(a_refund("r2", TEA=1)).balance.lines[0].left == 0
    assert refused(refund, a_refund("r3", TEA=1)) == "refund-too-large"
    assert shop.charged() == 2995


def test_a_refund_is_paid_and_audited_once_per_key(shop, refund):
    refund(a_refund(TEA=1))
    again = refund(a_refund(TEA=1))

    assert shop.charged() == 4995
    assert [event["type"] for event in again.events].count("audit.recorded") == 1
    audit = next(event["data"] for event in again.events if event["type"] == "audit.recorded")
    assert audit["message"] == "1000 EUR (1 x TEA): broken"
    assert refused(refund, a_refund(TEA=2)) == "idempotency-key-reused"


def test_without_lines_or_amount_all_that_is_left_is_refunded_with_shipping(shop, refund):
    refund(a_refund(TEA=1))

    refunded = refund(a_refund("r2"))

    assert (refunded.payment.status, shop.charged()) == (PaymentStatus.REFUNDED, 0)
    assert refunded.refunds[1].lines == (RefundLine("TEA", 2, Money(2000)), RefundLine("CUP", 1, Money(2500)))
    assert refunded.refunds[1].shipping == Money(495)
    assert refused(refund, a_refund("r3")) == "refund-too-large"


def test_an_amount_is_split_over_what_is_left_of_lines_and_shipping(shop, refund):
    refunded = refund(a_refund(amount=1000))

    assert refunded.refunds[0].lines == (RefundLine("TEA", 0, Money(500)), RefundLine("CUP", 0, Money(417)))
    assert refunded.refunds[0].shipping == Money(83)
    refunded = refund(a_refund("r2", TEA=3))
    assert refunded.refunds[1].lines == (RefundLine("TEA", 3, Money(2500)),)
    assert refused(refund, a_refund("r3", amount=2496)) == "refund-too-large"
    refund(a_refund("r3", amount=2495))
    assert shop.charged() == 0
    assert refused(refund, a_refund("r4", amount=1)) == "refund-too-large"


@pytest.mark.parametrize("amount", [Money(0), Money(-1), Money(5996), Money(1, "USD")])
def test_an_amount_that_was_not_paid_is_refused(refund, amount):
    assert refused(refund, replace(a_refund(), amount=amount)) in ("refund-too-large", "not-refundable")


def test_a_discount_is_not_refunded_and_cents_are_split_over_units_once():
    lines = (Line("TEA", 3, Money(1000)), Line("CUP", 1, Money(2500)))
    order = a_confirmed_order()
    order.lines, order.totals = lines, price(lines, Money(495), "BE", Money(1000))

    back = []
    for n in range(3):
        order.begin_refund(a_refund(f"r{n}", TEA=1))
        order.mark_refunded(f"r{n}", NOW)
        back.append(order.refunds[-1].amount.amount)

    assert back == [819, 818, 818]
    assert order.balance.lines[0].left == 0


# -- parcels ---------------------------------------------------------------------------------------


def test_refunded_units_are_not_shipped(refund, ship):
    refund(a_refund(TEA=2))

    assert refused(ship, a_parcel(TEA=2)) == "not-shippable"
    sent = ship(a_parcel())
    assert sent.shipments[0].lines == {"TEA": 1, "CUP": 1}
    assert sent.fulfilment is FulfilmentStatus.SHIPPED


def test_a_fully_refunded_order_is_not_shipped(shop, order, refund, ship):
    refund(a_refund(amount=order.totals.total.amount))

    assert refused(ship, a_parcel()) == "not-shippable"
    assert refused(ship, a_parcel(TEA=1)) == "not-shippable"
    assert shop.parts.order_service.cancel(order.id, STAFF).status is OrderStatus.CANCELLED
    assert (shop.charged(), shop.catalog.on_hand["TEA"]) == (0, 10)


def test_shipped_units_can_be_refunded_and_are_not_shipped_again(shop, refund, ship):
    ship(a_parcel(TEA=2))
    refunded = refund(a_refund(TEA=1))

    assert refunded.unsent == {"CUP": 1}
    assert refund(a_refund("r2", TEA=2)).balance.lines[0].units_left == 0
    assert refused(ship, a_parcel("s2", TEA=1)) == "not-shippable"


def test_a_parcel_is_noted_once_per_key(ship):
    ship(a_parcel(TEA=1))
    again = ship(a_parcel(TEA=1))

    assert len(again.shipments) == 1
    assert [event["type"] for event in again.events].count("audit.recorded") == 1


def test_an_order_that_costs_nothing_can_be_sent():
    lines = (Line("GIFT", 1, Money(0)),)
    order = a_confirmed_order()
    order.lines, order.totals = lines, price(lines, Money(0), "BE")

    assert order.unsent == {"GIFT": 1}


# -- a failing provider ----------------------------------------------------------------------------


def test_a_refused_refund_changes_nothing_and_has_a_reason(shop, order, provider, refund, ship):
    provider.error = RefundRefused("the card is closed")
    for _ in range(2):
        with pytest.raises(RefundRefused, match="the card is closed"):
            refund(a_refund(TEA=3))
    provider.error = None
    shop.run_recovery()

    kept = shop.orders.get(order.id)
    assert (kept.payment.status, kept.owed_refunds, shop.charged()) == (PaymentStatus.PAID, (), 5995)
    assert kept.refunds[0].failure == "the card is closed"
    assert kept.refundable == order.totals.total
    assert ship(a_parcel(TEA=3)).unsent == {"CUP": 1}
    refund(a_refund("r2", TEA=3))
    assert shop.charged() == 2995


@pytest.mark.parametrize("failure", [ProviderDown("no answer"), UnknownPayment("pay_1")])
def test_an_open_refund_blocks_other_refunds(shop, order, provider, refund, ship, failure):
    provider.error = failure
    waiting = refund(a_refund(TEA=1))

    assert (waiting.payment.status, len(waiting.owed_refunds)) == (PaymentStatus.PAID, 1)
    assert refused(refund, a_refund("r2", CUP=1)) == "refund-in-progress"
    assert refused(shop.parts.order_service.cancel, order.id, STAFF) == "refund-in-progress"
    assert refused(ship, a_parcel(TEA=3)) == "not-shippable"
    provider.error = None
    shop.run_recovery()
    assert shop.charged() == 4995
    refund(a_refund("r2", CUP=1))
    assert shop.charged() == 2495


def test_a_failing_refund_does_not_delay_the_recovery_of_other_orders(shop, provider):
    first, second = (shop.place(key=key).order for key in ("k1", "k2"))
    provider.error = UnknownPayment("pay_1")
    for order in (first, second):
        shop.parts.order_service.refund(order.id, a_refund(), actor="staff-1")

    shop.run_recovery(seconds=60)

    assert shop.orders.get(first.id).stuck
    assert shop.orders.get(second.id).stuck
    provider.error = None
    shop.run_recovery()
    assert shop.charged() == 0


def test_a_cancellation_whose_refund_is_refused_is_stuck(shop, order, provider):
    provider.error = RefundRefused("the card is closed")
    shop.parts.order_service.cancel(order.id, STAFF)
    shop.run_recovery(seconds=60)

    kept = shop.orders.get(order.id)
    assert (kept.status, kept.stuck, kept.trouble) == (OrderStatus.CONFIRMED, True, "the card is closed")
    provider.error = None
    shop.parts.order_service.retry(order.id, actor="staff-1")
    assert shop.orders.get(order.id).status is OrderStatus.CANCELLED
    assert shop.charged() == 0


# -- any sequence ----------------------------------------------------------------------------------

SOME = st.dictionaries(st.sampled_from(["TEA", "CUP", "POT"]), st.integers(1, 4), min_size=1, max_size=2)
STEPS = st.one_of(
    st.tuples(st.just("refund lines"), SOME),
    st.tuples(st.just("refund amount"), st.integers(1, 7000)),
    st.tuples(st.just("refund all"), st.none()),
    st.tuples(st.just("ship"), SOME),
    st.tuples(st.just("ship all"), st.none()),
    st.tuples(st.just("cancel"), st.none()),
    st.tuples(st.just("provider"), st.sampled_from(["down", "refuses", "well"])),
    st.tuples(st.just("time"), st.integers(1, 40)),
)
ERRORS = {"down": ProviderDown("no answer"), "refuses": RefundRefused("no"), "well": None}


class RefundScenario:
    """One order with arbitrary staff actions; it counts money at the provider, and parcels."""

    def __init__(self) -> None:
        self.shop = Shop()
        self.number = self.shop.place(basket=BASKET).order.id
        self.provider = FailingProvider(self.shop.parts.payments)
        self.shop.parts.saga._payments = self.provider
        self.order_service = self.shop.parts.order_service

    def do(self, place: int, step: str, what) -> None:
        acts = {
            "refund lines": lambda: self._refund(f"r{place}", lines=what),
            "refund amount": lambda: self._refund(f"r{place}", amount=Money(what)),
            "refund all": lambda: self._refund(f"r{place}"),
            "ship": lambda: self.order_service.ship(self.number, a_parcel(f"s{place}", **what), actor="s"),
            "ship all": lambda: self.order_service.ship(self.number, a_parcel(f"s{place}"), actor="s"),
            "cancel": lambda: self.order_service.cancel(self.number, STAFF),
            "provider": lambda: setattr(self.provider, "error", ERRORS[what]),
            "time": lambda: self.shop.run_recovery(seconds=what),
        }
        before = self.order
        with contextlib.suppress(
            NotAllowed, RuleViolation, RefundRefused, DependencyUnavailable, ProviderDown
        ):
            acts[step]()
        self._check_parcel(before)

    def _refund(self, id: str, **what) -> None:
        self.order_service.refund(self.number, RefundRequest(id, NOW, "", id, **what), actor="s")

    @property
    def order(self):
        return self.shop.orders.get(self.number)

    def _check_parcel(self, before) -> None:
        """Check that a parcel holds no unit that was sent or refunded before it."""
        back, sent = Counter(), Counter()
        for refund in before.refunds:
            for line in refund.lines if not refund.failure else ():
                back[line.sku] += line.quantity
        for parcel in before.shipments:
            sent.update(parcel.lines)
        bought = before.quantities
        for parcel in self.order.shipments[len(before.shipments) :]:
            assert before.status is OrderStatus.CONFIRMED
            assert parcel.lines
            assert all(sent[sku] + back[sku] + n <= bought[sku] for sku, n in parcel.lines.items())

    def check(self) -> None:
        order, (entry,) = self.order, self.shop.ledger.find("id").items
        counted = [refund for refund in order.refunds if not refund.failure]
        money, units = Counter(), Counter()
        for refund in counted:
            assert refund.amount.amount == refund.shipping.amount + sum(
                line.amount.amount for line in refund.lines
            )
            for line in refund.lines:
                money[line.sku] += line.amount.amount
                units[line.sku] += line.quantity
        assert all(0 <= money[line.sku] <= line.line_total.amount for line in order.lines)
        assert all(0 <= units[line.sku] <= line.quantity for line in order.lines)
        assert sum(refund.shipping.amount for refund in counted) <= order.totals.shipping.amount
        assert entry.refunds == {one.id: one.amount.amount for one in counted if one.done_at}
        assert entry.captured - sum(entry.refunds.values()) >= 0
        if order.status is OrderStatus.CANCELLED:
            assert entry.captured == sum(entry.refunds.values())
            assert not order.shipments


@settings(max_examples=150)
@given(st.lists(STEPS, max_size=12))
def test_no_sequence_of_actions_refunds_twice_or_ships_refunded_units(steps):
    scenario = RefundScenario()

    for place, (step, what) in enumerate(steps):
        scenario.do(place, step, what)
        scenario.check()

    scenario.provider.error = None
    scenario.shop.run_recovery(seconds=60)
    scenario.check()
    assert scenario.order.owed_refunds == ()
