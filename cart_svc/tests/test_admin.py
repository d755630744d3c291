import re

import pytest
from django.test import Client

from cart.domain import Coupon
from cart.services import CartOwner
from chassis.admin.sso import SignOn, use
from chassis.testing.identity import make_token

HELD = {
    "staff": ["cart.cart.read", "cart.coupon.read", "cart.coupon.write"],
    "reader": ["cart.cart.read"],
}
COUPON = {
    "title": "Spring", "percent": "10", "amount_off": "0", "minimum": "20.00",
    "active": "on",
    "starts_at_0": "", "starts_at_1": "", "ends_at_0": "", "ends_at_1": "",
}  # fmt: skip


def exchange(session):
    if session not in HELD:
        return None
    token = make_token(sub="s1", roles=("manager",), permissions=HELD[session])
    return {"access": token, "expires_in": 600, "user": {"name": "Ada", "email": "ada@example.com"}}


@pytest.fixture(autouse=True)
def signed_on(world):
    use(SignOn(exchange))
    yield
    use(None)


def staff(session="staff"):
    client = Client()
    client.cookies["staff_session"] = session
    return client


def fill(world, account=None, sku="cup", quantity=2):
    cart_service = world.parts.cart_service
    owner = CartOwner(account_id=account)
    return cart_service.line_add(owner, sku=sku, quantity=quantity, key=None, fingerprint="f").cart.id


def test_the_dashboard_counts_carts(world):
    fill(world)
    fill(world, "a1")
    fill(world, "a2")

    html = staff().get("/admin/cart/").content.decode()

    assert "Accounts&#x27; carts" in html
    assert "€24.00" in html


def test_carts_are_searched_and_filtered(world):
    guest, mine = fill(world), fill(world, "zoe")
    url = "/admin/cart/cart/cart/"

    def shown(query):
        html = staff().get(url, query).content.decode()
        return [id for id in (guest, mine) if id in html]

    assert shown({}) == [guest, mine]
    assert shown({"q": "zoe"}) == [mine]
    assert shown({"guest__exact": "1"}) == [guest]


def test_a_cart_is_shown_and_cannot_be_changed(world):
    id = fill(world)

    page = staff().get(f"/admin/cart/cart/cart/{id}/change/")
    html = page.content.decode()

    assert page.status_code == 200
    assert "Cup" in html
    assert "Save" not in re.findall(r'type="submit" value="(\w+)', html)
    assert staff().get("/admin/cart/cart/cart/add/").status_code == 403
    assert staff("reader").get("/admin/cart/cart/coupon/").status_code == 403


def test_an_invalid_change_is_shown_beside_the_form(world):
    world.coupons.add(Coupon("SPRING", percent=10))
    url = "/admin/cart/cart/coupon/SPRING/change/"

    answer = staff().post(url, COUPON | {"percent": "0", "document_version": "0"})

    assert answer.status_code == 200
    assert "It takes off either a percentage or an amount." in answer.content.decode()
    assert world.coupons.get("SPRING").percent == 10


def test_a_coupon_is_switched_off(world):
    world.coupons.add(Coupon("SPRING", percent=10))
    url = "/admin/cart/cart/coupon/SPRING/change/"

    form = {name: value for name, value in COUPON.items() if name != "active"}
    answer = staff().post(url, form | {"document_version": "0"})

    coupon = world.coupons.get("SPRING")
    assert answer.status_code == 302, answer.content.decode()
    assert (coupon.active, coupon.percent, coupon.version) == (False, 10, 1)
    assert [(event["type"], event["data"]["action"]) for event in coupon.events] == [
        ("audit.recorded", "change")
    ]
    assert staff().get("/admin/cart/cart/coupon/add/").status_code == 403
