"""Staff at work in the admins, in a real browser."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import expect

from tests.client import Client

pytestmark = pytest.mark.e2e


def sign_in(page, shop):
    page.goto("/admin/catalog/")
    page.locator("input[type=email], input[name=email]").first.fill(shop.admin_email)
    page.locator("input[type=password]").fill(shop.admin_password)
    page.locator("button[type=submit], input[type=submit]").first.click()
    expect(page).to_have_url(f"{shop.url}/admin/catalog/")


def test_a_changed_price_is_in_the_shop_within_five_seconds(page, shop):
    slug, _ = shop.staff().product(on_hand=3, price=1000)
    sign_in(page, shop)
    page.goto(f"/admin/catalog/catalog/product/?q={slug}")
    page.locator("#result_list tbody th a, #result_list tbody td a").first.click()
    price = page.locator("input[name$=price]").first

    price.fill("12.34")
    page.locator("input[name=_save]").click()
    began = time.monotonic()
    expect(page.locator(".messagelist, .messages")).to_be_visible()
    shopper = Client(shop.url)
    while shopper.get(f"/api/catalog/products/{slug}").json["variants"][0]["price"]["amount"] != 1234:
        assert time.monotonic() - began < 5
        time.sleep(0.1)

    assert "12.34" in shopper.get(f"/p/{slug}").body.decode()


def test_an_admin_sees_the_order_that_was_just_placed(page, shop):
    _, sku = shop.staff().product(on_hand=1)
    order = Client(shop.url).order(lines=[{"sku": sku, "quantity": 1}]).json
    sign_in(page, shop)

    page.goto("/admin/checkout/checkout/order/")

    expect(page.locator("#result_list")).to_contain_text(order["number"])


@pytest.mark.parametrize("name", ["auth", "catalog", "cart", "checkout", "logs", "reco"])
def test_one_sign_on_opens_every_admin(page, shop, name):
    sign_in(page, shop)

    answer = page.goto(f"/admin/{name}/")

    assert answer.status == 200
    expect(page).to_have_url(f"{shop.url}/admin/{name}/")


def test_a_stranger_is_sent_to_the_one_sign_in_page(page, shop):
    page.goto("/admin/checkout/")

    assert page.url.startswith(f"{shop.url}/admin/auth/login/?next=")
