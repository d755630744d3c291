import pytest
from conftest import NOW

from cart.domain import account_cart_id
from cart.services import Holder
from chassis.couch import NotFound
from chassis.messaging import Envelope, Rejected


def fact(type, **data):
    source = type.split(".")[0].replace("order", "checkout").replace("account", "auth")
    return Envelope(id="e1", type=type, source=source, subject="HM-1", seq=1, at=NOW, data=data)


def add(world, holder, sku="cup", quantity=2):
    return world.parts.shopping.line_add(
        holder, sku=sku, quantity=quantity, key=None, fingerprint="f"
    ).cart.id


def content(world, id):
    return {line.sku: line.quantity for line in world.carts.get(id).lines}


LINES = [{"sku": "cup", "product_id": "p1", "quantity": 2, "unit_price": 1200}]


def test_a_confirmed_order_takes_its_lines_out_once(world):
    id = add(world, Holder(account_id="a1"), quantity=5)
    order = fact("order.confirmed", order_id="HM-1", cart_id=id, lines=LINES)

    outcomes = [world.parts.keeper.order_confirmed(order) for _ in range(2)]

    assert outcomes == ["done", "duplicate"]
    assert content(world, id) == {"cup": 3}


def test_what_checkout_settled_is_not_settled_again_by_the_fact(world):
    id = add(world, Holder(account_id="a1"), quantity=5)
    world.parts.desk.cart_settle(id, order_id="HM-1", lines=LINES)

    outcome = world.parts.keeper.order_confirmed(
        fact("order.confirmed", order_id="HM-1", cart_id=id, lines=LINES)
    )

    assert outcome == "duplicate"
    assert content(world, id) == {"cup": 3}


def test_orders_without_a_cart_of_ours_are_ignored(world):
    for cart_id in (None, "nothing-here"):
        data = {"order_id": "HM-1", "cart_id": cart_id, "lines": LINES}
        assert world.parts.keeper.order_confirmed(fact("order.confirmed", **data)) == "ignored"
        assert world.parts.keeper.order_cancelled(fact("order.cancelled", **data)) == "ignored"


def test_a_malformed_fact_is_rejected(world):
    id = add(world, Holder(account_id="a1"))

    for data in ({}, {"order_id": "HM-1", "lines": [{"sku": "cup", "quantity": "2"}]}, {"order_id": 5}):
        with pytest.raises(Rejected):
            world.parts.keeper.order_confirmed(fact("order.confirmed", cart_id=id, **data))
    with pytest.raises(Rejected):
        world.parts.keeper.account_erased(fact("account.erased"))


def test_a_cancelled_order_lets_go_of_the_cart(world):
    id = add(world, Holder(account_id="a1"))
    world.parts.desk.cart_claim(id, order_id="HM-1", version=1)

    outcome = world.parts.keeper.order_cancelled(fact("order.cancelled", order_id="HM-1", cart_id=id))

    assert outcome == "done"
    assert world.carts.get(id).claims == {}


def test_an_erased_accounts_cart_is_forgotten(world):
    add(world, Holder(account_id="a1"))
    erased = fact("account.erased", account_id="a1")

    outcomes = [world.parts.keeper.account_erased(erased) for _ in range(2)]

    assert outcomes == ["done", "duplicate"]
    with pytest.raises(NotFound):
        world.carts.get(account_cart_id("a1"))


def test_only_guests_carts_that_nobody_touched_are_swept_away(world):
    old = add(world, Holder())
    mine = add(world, Holder(account_id="a1"))
    world.clock.forward(days=59)
    fresh = add(world, Holder())
    world.clock.forward(days=2)

    swept = [world.parts.keeper.guests_sweep() for _ in range(2)]

    assert swept == [1, 0]
    assert [cart.id for cart in world.carts.get_many([old, mine, fresh])] == [mine, fresh]


def test_a_twin_that_was_quicker_is_replayed(world):
    """Both requests found no such key; the write that comes second sees it."""
    id = add(world, Holder())
    holder = Holder(cart_id=id)
    look_up = world.shelf.offers
    again = []

    def offers(skus):
        if not again:
            again.append(1)
            world.parts.shopping.line_add(holder, sku="pot", quantity=1, key="k", fingerprint="f")
        return look_up(skus)

    world.shelf.offers = offers

    answer = world.parts.shopping.line_add(holder, sku="pot", quantity=1, key="k", fingerprint="f")

    assert (answer.replayed, answer.status) == (True, 201)
    assert content(world, id) == {"cup": 2, "pot": 1}
