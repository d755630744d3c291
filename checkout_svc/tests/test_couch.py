"""Integration tests with a CouchDB server: concurrent requests and sort orders."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from chassis.couch import BadCursor, Busy, Conflict, couch_repository, ensure
from chassis.testing.couch import couch_server, fresh_databases
from checkout import container, repositories
from checkout.domain import NotAllowed, OrderStatus, RefundRequest, Shipment
from checkout.services import Basket, OrderFilter, RuleViolation, Viewer
from tests.fakes import Shop

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def couch():
    with couch_server() as server:
        yield server


@pytest.fixture
def shop(couch):
    """Return a shop over a real server and real time, since concurrent requests wait for each other."""
    with fresh_databases():
        ensure(container.COLLECTIONS)
        shop = Shop()
        shop.orders = couch_repository(repositories.ORDERS)
        shop.ledger = couch_repository(repositories.LEDGER)
        shop.parts = shop.bootstrap()
        yield shop


def test_twenty_concurrent_requests_with_one_key_make_one_order(shop):
    cart = shop.fill_cart({"TEA": 2})

    with ThreadPoolExecutor(20) as pool:
        placed = list(pool.map(lambda _: shop.place(basket=Basket(cart_id=cart)), range(20)))

    assert len({one.order.id for one in placed}) == 1
    assert {one.order.answer.status for one in placed} == {201}
    assert len([one for one in placed if not one.replay]) == 1
    assert shop.orders.count() == 1
    assert (shop.charged(), shop.catalog.on_hand["TEA"]) == (2495, 8)


def test_twenty_buyers_of_ten_units_get_ten_orders_and_ten_refusals(shop):
    with ThreadPoolExecutor(8) as pool:
        placed = list(
            pool.map(
                lambda n: shop.place(key=f"k{n}", basket=Basket(lines={"POT": 1}), email=f"b{n}@example.com"),
                range(20),
            )
        )

    assert sorted(one.order.answer.status for one in placed) == [201] * 10 + [409] * 10
    assert shop.catalog.on_hand["POT"] == 0


def test_a_stored_order_is_read_back_unchanged_and_listed(shop):
    order = shop.place(account_id="a1").order

    assert shop.orders.get(order.id) == order
    found, total = shop.parts.order_service.list_for_account("a1", limit=10, cursor=None)
    assert ([one.id for one in found], total) == ([order.id], 1)
    (day,) = shop.orders.rows("sales", group=True)
    assert (day.key, day.value["sum"], day.value["count"]) == ("2025-06-01", 2495, 1)


def test_a_reversed_range_is_empty_and_a_cursor_of_another_range_is_refused_or_empty(shop):
    day = timedelta(days=1)
    for n in range(3):
        shop.place(key=f"k{n}")
        shop.clock.advance(days=1)
    last = shop.clock() - day
    order_service = shop.parts.order_service
    cursor = order_service.search(OrderFilter(), limit=2, cursor=None).next

    assert order_service.search(OrderFilter(since=last, until=last - day), limit=10, cursor=None).items == []
    with contextlib.suppress(BadCursor):
        assert order_service.search(OrderFilter(since=last), limit=10, cursor=cursor).items == []


def test_the_recovery_job_finds_only_due_orders(shop):
    shop.place()
    waiting = shop.place(key="k2", payment_token="tok_timeout_unknown").order
    shop.clock.advance(seconds=15)

    assert shop.parts.recovery.resume_due() == 1
    assert shop.orders.get(waiting.id).status is OrderStatus.CONFIRMED


def test_only_one_of_two_workers_resumes_an_order(shop):
    order = shop.place(payment_token="tok_timeout_unknown").order
    shop.clock.advance(seconds=15)
    first, second = shop.orders.get(order.id), shop.orders.get(order.id)

    shop.parts.recovery.resume(first)

    with pytest.raises(Conflict):
        shop.parts.recovery.resume(second)
    assert shop.charged() == 2495


def test_concurrent_cancellations_refund_once(shop):
    order = shop.place().order
    viewer = Viewer(token=shop.parts.order_service.token(order))

    def cancel(_):
        try:
            return shop.parts.order_service.cancel(order.id, viewer).status.value
        except Busy:  # 429 over HTTP: too many wait for this order
            return "busy"
        except Exception as error:  # noqa: BLE001 - a concurrent request gets order-busy
            return getattr(error, "type", type(error).__name__)

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(cancel, range(8)))

    assert answers <= {"cancelled", "order-busy", "busy"}
    assert "cancelled" in answers
    assert (shop.charged(), shop.catalog.on_hand["TEA"]) == (0, 10)


def test_only_one_of_many_concurrent_refunds_of_a_line_is_paid(shop):
    order = shop.place(basket=Basket(lines={"TEA": 1, "POT": 1})).order

    def refund(n):
        wanted = RefundRequest(f"r{n}", shop.clock(), "broken", lines={"TEA": 1})
        try:
            return shop.parts.order_service.refund(order.id, wanted, actor="staff-1").payment.status.value
        except Busy:  # 429 over HTTP: too many wait for this order
            return "busy"
        except (RuleViolation, NotAllowed) as error:
            return error.type

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(refund, range(8)))

    refused = {"order-busy", "refund-in-progress", "refund-too-large", "busy"}
    assert answers.count("partially_refunded") == 1
    assert set(answers) <= {"partially_refunded", *refused}
    assert shop.charged() == 9900 + 495
    assert len(shop.orders.get(order.id).refunds) == 1


def test_a_refund_stops_a_concurrent_parcel_of_the_same_unit_unless_it_was_sent(shop):
    for n in range(5):
        order = shop.place(key=f"k{n}", basket=Basket(lines={"TEA": 1, "POT": 1})).order

        def refund(order=order):
            wanted = RefundRequest("r1", shop.clock(), "broken", lines={"TEA": 1})
            shop.parts.order_service.refund(order.id, wanted, actor="staff-1")

        def ship(order=order):
            parcel = Shipment("s1", shop.clock(), "bpost", "1", {"TEA": 1})
            with contextlib.suppress(NotAllowed):
                shop.parts.order_service.ship(order.id, parcel, actor="staff-1")

        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(ship), pool.submit(refund)]:
                done.result()

        events = shop.orders.get(order.id).events
        actions = [one["data"]["action"] for one in events if one["type"] == "audit.recorded"]
        assert actions in (["refund"], ["ship", "refund"])
