"""The use cases against a real server: writes that meet, and indexes as they are built there."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import World

from cart.repositories import CARTS, COLLECTIONS, COUPONS
from cart.services import Holder
from chassis.couch import Busy, MemoryRepository, couch_repository, ensure
from chassis.testing.couch import couch_server, fresh_databases

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def couch():
    with couch_server() as running:
        yield running


@pytest.fixture
def real(couch):
    with fresh_databases():
        ensure(COLLECTIONS)
        yield World(carts=couch_repository(CARTS), coupons=couch_repository(COUPONS))


def add(world, holder, sku="cup", quantity=1, key=None):
    return world.parts.shopping.line_add(holder, sku=sku, quantity=quantity, key=key, fingerprint="f")


def add_patiently(world, holder, sku):
    """As a client does that is told to come back."""
    while True:
        try:
            return add(world, holder, sku)
        except Busy:
            time.sleep(0.01)


def content(world, id):
    return {line.sku: line.quantity for line in world.carts.get(id).lines}


def test_no_line_is_lost_when_many_add_at_once(real):
    holder = Holder(account_id="a1")

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda n: add_patiently(real, holder, "cup" if n % 2 else "pot"), range(30)))

    assert content(real, answers[0].cart.id) == {"cup": 15, "pot": 15}
    assert sorted(answer.status for answer in answers) == [200] * 28 + [201] * 2


def test_one_key_adds_once_however_many_send_it(real):
    id = add(real, Holder()).cart.id

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: add(real, Holder(cart_id=id), "pot", key="k"), range(20)))

    assert content(real, id) == {"cup": 1, "pot": 1}
    assert {answer.status for answer in answers} == {201}
    assert sum(not answer.replayed for answer in answers) == 1


def test_one_of_many_orders_claims_a_version(real):
    id = add(real, Holder()).cart.id

    def claim(number):
        try:
            return real.parts.desk.cart_claim(id, order_id=f"HM-{number}", version=1).claims
        except Exception as error:  # noqa: BLE001 - told apart below
            return error.type

    with ThreadPoolExecutor(10) as pool:
        outcomes = list(pool.map(claim, range(20)))

    assert outcomes.count("cart-claimed") == 19


def test_a_cart_comes_back_as_it_was_written(real):
    twin = World(carts=MemoryRepository(CARTS), coupons=MemoryRepository(COUPONS))
    carts = []
    for world in (real, twin):
        world.parts.shopping._new_secret = lambda: "0" * 32
        id = add(world, Holder(), quantity=3, key="k").cart.id
        world.parts.shopping.cart_merge("a1", guest_cart=id)
        merged = world.parts.shopping.cart_view(Holder(account_id="a1"))
        cart = world.carts.get(merged.id)
        cart.rev = ""
        carts.append(cart)

    assert carts[0] == carts[1]


def test_sweeping_walks_the_index(real):
    id = add(real, Holder()).cart.id
    add(real, Holder(account_id="a1"))
    real.clock.forward(days=61)

    assert real.parts.keeper.guests_sweep() == 1
    assert real.carts.get_many([id]) == []
