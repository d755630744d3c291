"""Tests of processes that die or pause around any effect: nothing is lost and nothing is done twice."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from checkout.domain import OrderStatus, Outcome
from checkout.services import Basket, DependencyUnavailable, RuleViolation, Viewer
from checkout.services.place_order import MAX_LONG_WAITS, SHORT_WAIT
from tests.fakes import Crash, Crashing

STAFF = Viewer(account_id="staff-1", may_read=True, may_write=True)


EFFECTS = ["claim", "reserve", "create", "commit", "remove_ordered", "save"]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize("token", ["tok_ok", "tok_declined", "tok_timeout_then_ok"])
@pytest.mark.parametrize("retry", [True, False])
def test_a_crash_around_any_effect_loses_and_repeats_nothing(shop, when, effect, token, retry):
    cart = shop.fill_cart({"TEA": 2})
    command = {"basket": Basket(cart_id=cart), "payment_token": token}
    parts = shop.bootstrap(
        orders=Crashing(shop.orders, effect, when),
        catalog=Crashing(shop.catalog, effect, when),
        carts=Crashing(shop.carts, effect, when),
    )
    if effect == "create":
        parts.saga._payments = Crashing(parts.payments, effect, when)
    with contextlib.suppress(Crash):
        parts.place_order.place(shop.command(**command))

    shop.run_recovery(seconds=60)
    if retry:
        shop.place(**command)

    (order,) = shop.orders.find("id").items
    assert order.next_step in (None, *(["mail"] if token != "tok_declined" else []))
    if token == "tok_declined":
        assert (order.status, shop.charged(), shop.catalog.available("TEA")) == (OrderStatus.CANCELLED, 0, 10)
        assert shop.carts.carts[cart].lines == {"TEA": 2}
    else:
        assert (order.status, shop.charged(), shop.catalog.on_hand["TEA"]) == (OrderStatus.CONFIRMED, 2495, 8)
        assert shop.carts.carts[cart].lines == {}
    assert (shop.catalog.held, shop.carts.claims) == ({}, {})


def test_a_paused_worker_cannot_pay_for_an_abandoned_order(shop):
    slow = shop.bootstrap()
    held = {}

    def pause(request):
        held["request"] = request
        raise Crash

    slow.saga._payments = replace_create(slow.payments, pause)
    with pytest.raises(Crash):
        slow.place_order.place(shop.command())
    shop.clock.advance(seconds=30)
    shop.catalog.unavailable = {"reserve"}
    with pytest.raises(DependencyUnavailable):  # the retry takes over, cannot hold, and gives up
        shop.place()

    payment = shop.parts.payments.create(held["request"])

    assert payment.outcome is Outcome.CANCELLED
    assert (shop.charged(), shop.catalog.available("TEA")) == (0, 10)


def replace_create(provider, create):
    class Slow:
        def __getattr__(self, name):
            return create if name == "create" else getattr(provider, name)

    return Slow()


def test_a_concurrent_request_waits_five_seconds_for_the_first(shop):
    dying = shop.bootstrap(catalog=Crashing(shop.catalog, "reserve", "before"))
    with pytest.raises(Crash):
        dying.place_order.place(shop.command())

    with pytest.raises(RuleViolation) as refused:
        shop.place()

    assert (refused.value.status, refused.value.type) == (409, "idempotency-in-progress")
    assert round(sum(shop.slept)) == 5


def test_only_a_few_concurrent_requests_wait_long(shop):
    go_on, waiting, slept = threading.Event(), threading.Semaphore(0), []

    def sleep(seconds):
        if threading.current_thread() is threading.main_thread():
            slept.append(seconds)
        else:
            waiting.release()
            go_on.wait(10)

    with pytest.raises(Crash):
        shop.bootstrap(catalog=Crashing(shop.catalog, "reserve", "before")).place_order.place(shop.command())
    slow = shop.bootstrap(sleep=sleep)
    with ThreadPoolExecutor(MAX_LONG_WAITS) as pool:
        waiting_requests = [
            pool.submit(slow.place_order.place, shop.command()) for _ in range(MAX_LONG_WAITS)
        ]
        for _ in waiting_requests:
            assert waiting.acquire(timeout=5)
        with pytest.raises(RuleViolation) as refused:
            slow.place_order.place(shop.command())
        go_on.set()
        outcomes = {getattr(request.exception(10), "type", "") for request in waiting_requests}

    assert (refused.value.status, refused.value.type) == (409, "idempotency-in-progress")
    assert round(sum(slept), 1) == SHORT_WAIT
    assert outcomes == {"idempotency-in-progress"}


def test_a_retry_after_the_lease_expired_takes_the_order_over(shop):
    dying = shop.bootstrap(catalog=Crashing(shop.catalog, "reserve", "after"))
    with pytest.raises(Crash):
        dying.place_order.place(shop.command())
    shop.clock.advance(seconds=21)

    placed = shop.place()

    assert (placed.order.answer.status, placed.replay, shop.charged()) == (201, False, 2495)
