"""Integration tests with a CouchDB server: concurrent writes, and indexes."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import World

from cart.repositories import CARTS, COLLECTIONS, COUPONS
from cart.services import CartOwner
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


def add(world, owner, sku="cup", quantity=1, key=None):
    return world.parts.cart_service.line_add(owner, sku=sku, quantity=quantity, key=key, fingerprint="f")


def add_with_retry(world, owner, sku):
    """Add a line like a client that retries when the cart is busy."""
    while True:
        try:
            return add(world, owner, sku)
        except Busy:
            time.sleep(0.01)


def content(world, id):
    return {line.sku: line.quantity for line in world.carts.get(id).lines}


def test_concurrent_adds_lose_no_line(real):
    owner = CartOwner(account_id="a1")

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda n: add_with_retry(real, owner, "cup" if n % 2 else "pot"), range(30)))

    assert content(real, answers[0].cart.id) == {"cup": 15, "pot": 15}
    assert sorted(answer.status for answer in answers) == [200] * 28 + [201] * 2


def test_concurrent_requests_with_one_key_add_once(real):
    id = add(real, CartOwner()).cart.id

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: add(real, CartOwner(cart_id=id), "pot", key="k"), range(20)))

    assert content(real, id) == {"cup": 1, "pot": 1}
    assert {answer.status for answer in answers} == {201}
    assert sum(not answer.replayed for answer in answers) == 1


def test_only_one_of_many_orders_claims_a_version(real):
    id = add(real, CartOwner()).cart.id

    def claim(number):
        while True:
            try:
                service = real.parts.checkout_cart_service
                return service.cart_claim(id, order_id=f"HM-{number}", version=1).claims
            except Busy:  # told to come back, as 429 is over HTTP
                continue
            except Exception as error:  # noqa: BLE001 - distinguished below
                return error.type

    with ThreadPoolExecutor(10) as pool:
        outcomes = list(pool.map(claim, range(20)))

    assert outcomes.count("cart-claimed") == 19


def test_a_stored_cart_is_read_back_unchanged(real):
    in_memory = World(carts=MemoryRepository(CARTS), coupons=MemoryRepository(COUPONS))
    carts = []
    for world in (real, in_memory):
        world.parts.cart_service._new_secret = lambda: "0" * 32
        id = add(world, CartOwner(), quantity=3, key="k").cart.id
        world.parts.cart_service.cart_merge("a1", guest_cart=id)
        merged = world.parts.cart_service.cart_view(CartOwner(account_id="a1"))
        cart = world.carts.get(merged.id)
        cart.rev = ""
        carts.append(cart)

    assert carts[0] == carts[1]


def test_the_cleanup_reads_the_index(real):
    id = add(real, CartOwner()).cart.id
    add(real, CartOwner(account_id="a1"))
    real.clock.advance(days=61)

    assert real.parts.cleanup.delete_expired() == 1
    assert real.carts.get_many([id]) == []
