"""Processes that die, or are paused, around any effect; nothing is lost and nothing is done twice."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from checkout.domain import OrderStatus, Outcome
from checkout.services import Away, Basket, Refusal, Viewer
from checkout.services.placing import TWINS, WAIT_FOR_MANY
from tests.fakes import Crash, Crashing

STAFF = Viewer(account_id="staff-1", may_read=True, may_write=True)


EFFECTS = ["claim", "reserve", "create", "commit", "settle", "save"]


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


def test_of_many_twins_a_few_wait_long_and_the_others_are_told_soon(shop):
    go_on, waiting, slept = threading.Event(), threading.Semaphore(0), []

    def sleep(seconds):
        if threading.current_thread() is threading.main_thread():
            slept.append(seconds)
        else:
            waiting.release()
            go_on.wait(10)

    with pytest.raises(Crash):
        shop.assemble(catalog=Crashing(shop.catalog, "reserve", "before")).placing.place(shop.wish())
    slow = shop.assemble(sleep=sleep)
    with ThreadPoolExecutor(TWINS) as pool:
        twins = [pool.submit(slow.placing.place, shop.wish()) for _ in range(TWINS)]
        for _ in twins:
            assert waiting.acquire(timeout=5)
        with pytest.raises(Refusal) as refused:
            slow.placing.place(shop.wish())
        go_on.set()
        outcomes = {getattr(twin.exception(10), "type", "") for twin in twins}

    assert (refused.value.status, refused.value.type) == (409, "idempotency-in-progress")
    assert round(sum(slept), 1) == WAIT_FOR_MANY
    assert outcomes == {"idempotency-in-progress"}


def test_a_retry_after_the_lease_ended_goes_on_by_itself(shop):
    dying = shop.assemble(catalog=Crashing(shop.catalog, "reserve", "after"))
    with pytest.raises(Crash):
        dying.placing.place(shop.wish())
    shop.clock.forward(seconds=21)

    placed = shop.place()

    assert (placed.order.answer.status, placed.replay, shop.charged()) == (201, False, 2495)
