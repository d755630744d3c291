"""A part is stopped, and the rest of the shop is still there."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import expect

from tests.client import Client
from tests.kill.audit import Couch
from tests.kill.audit_catalog import findings_of, getter

pytestmark = pytest.mark.e2e


def until(look, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.2)


@pytest.mark.parametrize("name", ["checkout", "cart", "auth", "logs", "reco"])
def test_with_a_service_stopped_the_shop_still_browses(page, shop, name):
    with shop.stopped(name):
        page.goto("/")
        expect(page.locator("main .card").first).to_be_visible()
        page.goto("/p/acoustic-guitar")
        expect(page.locator("h1")).to_have_text("Acoustic guitar")
        page.goto("/search?q=guitar")
        expect(page.locator("main .card").first).to_be_visible()
        state = Client(shop.url).get("/healthz")
        assert state.json["services"][name] != "ok"
        assert state.json["status"] == ("down" if name in ("cart", "checkout") else "degraded")

    until(lambda: Client(shop.url).get("/healthz").json["status"] == "ok")


def test_without_checkout_the_cart_is_safe_and_the_page_says_so(page, shop):
    page.goto("/p/cookies")
    page.get_by_role("button", name="Add to cart", exact=True).click()
    expect(page.locator("#toast")).to_contain_text("cart")

    with shop.stopped("checkout"):
        page.goto("/checkout")
        expect(page.locator("main")).to_contain_text("Checkout is taking a break; your cart is safe")
        page.goto("/cart")
        expect(page.locator("main")).to_contain_text("Cookies")

    until(lambda: Client(shop.url).get("/healthz").json["status"] == "ok")


def test_without_the_database_server_browsing_goes_on_and_nothing_is_lost(shop):
    client = Client(shop.url)
    _, sku = shop.staff().product(on_hand=1)

    with shop.stopped("couch"):
        assert client.get("/api/catalog/products?q=guitar&limit=5").status == 200
        refused = client.order(lines=[{"sku": sku, "quantity": 1}])
        assert refused.status == 503
        assert "Retry-After" in refused.headers

    until(lambda: client.get("/healthz").json["status"] == "ok", 40)
    assert client.order(lines=[{"sku": sku, "quantity": 1}]).status == 201
    couch = Couch(shop.run["couchdb_url"])
    until(lambda: findings_of(couch, getter(shop.url)) == [], 60)
