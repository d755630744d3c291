import pytest
from conftest import NOW

from cart.domain import account_cart_id
from cart.services import CartOwner
from chassis.couch import NotFound
from chassis.messaging import Envelope, Rejected


def event(type, **data):
    source = type.split(".")[0].replace("order", "checkout").replace("account", "auth")
    return Envelope(id="e1", type=type, source=source, subject="HM-1", seq=1, at=NOW, data=data)


def add(world, owner, sku="cup", quantity=2):
    return world.parts.cart_service.line_add(
        owner, sku=sku, quantity=quantity, key=None, fingerprint="f"
    ).cart.id


def content(world, id):
    return {line.sku: line.quantity for line in world.carts.get(id).lines}


LINES = [{"sku": "cup", "product_id": "p1", "quantity": 2, "unit_price": 1200}]


def test_a_confirmed_order_removes_its_lines_once(world):
    id = add(world, CartOwner(account_id="a1"), quantity=5)
    order = event("order.confirmed", order_id="HM-1", cart_id=id, lines=LINES)

    outcomes = [world.parts.event_handlers.order_confirmed(order) for _ in range(2)]

    assert outcomes == ["done", "duplicate"]
    assert content(world, id) == {"cup": 3}


def test_lines_removed_by_checkout_are_not_removed_again_by_the_event(world):
    id = add(world, CartOwner(account_id="a1"), quantity=5)
    world.parts.checkout_cart_service.cart_remove_ordered(id, order_id="HM-1", lines=LINES)

    outcome = world.parts.event_handlers.order_confirmed(
        event("order.confirmed", order_id="HM-1", cart_id=id, lines=LINES)
    )

    assert outcome == "duplicate"
    assert content(world, id) == {"cup": 3}


def test_orders_without_a_known_cart_are_ignored(world):
    for cart_id in (None, "nothing-here"):
        data = {"order_id": "HM-1", "cart_id": cart_id, "lines": LINES}
        assert world.parts.event_handlers.order_confirmed(event("order.confirmed", **data)) == "ignored"
        assert world.parts.event_handlers.order_cancelled(event("order.cancelled", **data)) == "ignored"


def test_a_malformed_event_is_rejected(world):
    id = add(world, CartOwner(account_id="a1"))

    for data in ({}, {"order_id": "HM-1", "lines": [{"sku": "cup", "quantity": "2"}]}, {"order_id": 5}):
        with pytest.raises(Rejected):
            world.parts.event_handlers.order_confirmed(event("order.confirmed", cart_id=id, **data))
    with pytest.raises(Rejected):
        world.parts.event_handlers.account_erased(event("account.erased"))


def test_a_cancelled_order_releases_its_claim(world):
    id = add(world, CartOwner(account_id="a1"))
    world.parts.checkout_cart_service.cart_claim(id, order_id="HM-1", version=1)

    outcome = world.parts.event_handlers.order_cancelled(
        event("order.cancelled", order_id="HM-1", cart_id=id)
    )

    assert outcome == "done"
    assert world.carts.get(id).claims == {}


def test_an_erased_accounts_cart_is_deleted(world):
    add(world, CartOwner(account_id="a1"))
    erased = event("account.erased", account_id="a1")

    outcomes = [world.parts.event_handlers.account_erased(erased) for _ in range(2)]

    assert outcomes == ["done", "duplicate"]
    with pytest.raises(NotFound):
        world.carts.get(account_cart_id("a1"))


def test_only_expired_guest_carts_are_deleted(world):
    old = add(world, CartOwner())
    mine = add(world, CartOwner(account_id="a1"))
    world.clock.advance(days=59)
    fresh = add(world, CartOwner())
    world.clock.advance(days=2)

    deleted = [world.parts.cleanup.delete_expired() for _ in range(2)]

    assert deleted == [1, 0]
    assert [cart.id for cart in world.carts.get_many([old, mine, fresh])] == [mine, fresh]


def test_a_faster_concurrent_request_is_replayed(world):
    """Both requests find no such key; the second write sees it."""
    id = add(world, CartOwner())
    owner = CartOwner(cart_id=id)
    real_offers = world.catalog.offers
    again = []

    def offers(skus):
        if not again:
            again.append(1)
            world.parts.cart_service.line_add(owner, sku="pot", quantity=1, key="k", fingerprint="f")
        return real_offers(skus)

    world.catalog.offers = offers

    answer = world.parts.cart_service.line_add(owner, sku="pot", quantity=1, key="k", fingerprint="f")

    assert (answer.replayed, answer.status) == (True, 201)
    assert content(world, id) == {"cup": 2, "pot": 1}
