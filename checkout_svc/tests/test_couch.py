"""What only a real server of the CouchDB protocol can show: many at once, and one order."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from chassis.couch import BadCursor, Conflict, couch_repository, ensure
from chassis.testing.couch import couch_server, fresh_databases
from checkout import repositories, wiring
from checkout.domain import NotAllowed, OrderStatus, RefundRequest, Shipment
from checkout.services import Basket, Refusal, Search, Viewer
from tests.fakes import Shop

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def couch():
    with couch_server() as server:
        yield server


@pytest.fixture
def shop(couch):
    """The fakes around a real server; time is real too, as twins wait for each other."""
    with fresh_databases():
        ensure(wiring.COLLECTIONS)
        shop = Shop()
        shop.orders = couch_repository(repositories.ORDERS)
        shop.ledger = couch_repository(repositories.LEDGER)
        shop.parts = shop.assemble()
        yield shop


def test_the_same_key_twenty_times_at_once_makes_one_order_and_twenty_equal_answers(shop):
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


def test_an_order_survives_the_way_through_the_database_and_is_listed(shop):
    order = shop.place(account_id="a1").order

    assert shop.orders.get(order.id) == order
    found, total = shop.parts.desk.mine("a1", limit=10, cursor=None)
    assert ([one.id for one in found], total) == ([order.id], 1)
    (day,) = shop.orders.rows("sales", group=True)
    assert (day.key, day.value["sum"], day.value["count"]) == ("2025-06-01", 2495, 1)


def test_a_range_the_wrong_way_round_is_empty_and_a_cursor_of_another_range_is_refused_or_empty(shop):
    day = timedelta(days=1)
    for n in range(3):
        shop.place(key=f"k{n}")
        shop.clock.forward(days=1)
    last = shop.clock() - day
    desk = shop.parts.desk
    cursor = desk.search(Search(), limit=2, cursor=None).next

    assert desk.search(Search(since=last, until=last - day), limit=10, cursor=None).items == []
    with contextlib.suppress(BadCursor):
        assert desk.search(Search(since=last), limit=10, cursor=cursor).items == []


def test_the_sweeper_finds_what_is_due_and_only_that(shop):
    shop.place()
    waiting = shop.place(key="k2", payment_token="tok_timeout_unknown").order
    shop.clock.forward(seconds=15)

    assert shop.parts.sweeper.sweep() == 1
    assert shop.orders.get(waiting.id).status is OrderStatus.CONFIRMED


def test_of_two_workers_only_one_goes_on_with_an_order(shop):
    order = shop.place(payment_token="tok_timeout_unknown").order
    shop.clock.forward(seconds=15)
    first, second = shop.orders.get(order.id), shop.orders.get(order.id)

    shop.parts.sweeper.resume(first)

    with pytest.raises(Conflict):
        shop.parts.sweeper.resume(second)
    assert shop.charged() == 2495


def test_a_cancelled_order_is_paid_back_once_by_many_at_once(shop):
    order = shop.place().order
    viewer = Viewer(token=shop.parts.desk.token(order))

    def cancel(_):
        try:
            return shop.parts.desk.cancel(order.id, viewer).status.value
        except Exception as error:  # noqa: BLE001 - whoever comes second is told that it is busy
            return getattr(error, "type", type(error).__name__)

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(cancel, range(8)))

    assert answers <= {"cancelled", "order-busy"}
    assert (shop.charged(), shop.catalog.on_hand["TEA"]) == (0, 10)


def test_of_many_refunds_of_one_line_at_once_one_is_paid(shop):
    order = shop.place(basket=Basket(lines={"TEA": 1, "POT": 1})).order

    def refund(n):
        wanted = RefundRequest(f"r{n}", shop.clock(), "broken", lines={"TEA": 1})
        try:
            return shop.parts.desk.refund(order.id, wanted, actor="staff-1").payment.status.value
        except (Refusal, NotAllowed) as error:
            return error.type

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(refund, range(8)))

    assert answers.count("partially_refunded") == 1
    assert set(answers) <= {"partially_refunded", "order-busy", "refund-in-progress", "refund-too-large"}
    assert shop.charged() == 9900 + 495
    assert len(shop.orders.get(order.id).refunds) == 1


def test_of_a_refund_and_a_parcel_of_the_same_unit_at_once_the_refund_stops_the_parcel_unless_it_left(shop):
    for n in range(5):
        order = shop.place(key=f"k{n}", basket=Basket(lines={"TEA": 1, "POT": 1})).order

        def refund(order=order):
            wanted = RefundRequest("r1", shop.clock(), "broken", lines={"TEA": 1})
            shop.parts.desk.refund(order.id, wanted, actor="staff-1")

        def ship(order=order):
            parcel = Shipment("s1", shop.clock(), "bpost", "1", {"TEA": 1})
            with contextlib.suppress(NotAllowed):
                shop.parts.desk.ship(order.id, parcel, actor="staff-1")

        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(ship), pool.submit(refund)]:
                done.result()

        events = shop.orders.get(order.id).events
        actions = [one["data"]["action"] for one in events if one["type"] == "audit.recorded"]
        assert actions in (["refund"], ["ship", "refund"])
