"""Staff at work in the admins, in a real browser."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import uuid

import pytest
from playwright.sync_api import expect

from tests.client import Client
from tests.conftest import ROOT

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


def test_staff_begin_at_the_start_page_and_every_link_of_every_admin_leads_somewhere(page, shop):
    page.goto("/admin")
    page.locator("input[type=email]").fill(shop.admin_email)
    page.locator("input[type=password]").fill(shop.admin_password)
    page.locator("button[type=submit]").click()
    expect(page).to_have_url(f"{shop.url}/admin/")
    begun = links(page)
    bars = [links(page) for url in begun if url.startswith("/admin/") and page.goto(url).status == 200]

    answers = {url: page.request.get(url).status for url in {*begun, *(url for bar in bars for url in bar)}}

    assert {url for url in begun if url.startswith("/admin/")} == {
        f"/admin/{name}/" for name in ("catalog", "checkout", "cart", "auth", "logs", "reco")
    }
    assert {url: status for url, status in answers.items() if status != 200} == {}


def links(page) -> list[str]:
    """Paths of this shop that the page links to."""
    return [
        url
        for anchor in page.locator("a[href^='/']").all()
        if (url := anchor.get_attribute("href")) and not url.startswith("//")
    ]


def test_what_make_run_prints_can_be_opened(shop):
    printed = (shop.data / "console.log").read_text()
    urls = sorted(set(re.findall(rf"{re.escape(shop.url)}\S*", printed)))

    answers = {url: Client(url).get("").status for url in urls}

    assert {f"{shop.url}/admin/", f"{shop.url}/mail/", f"{shop.url}/api/catalog/docs", shop.url} <= set(urls)
    assert {url: status for url, status in answers.items() if status not in (200, 302)} == {}


def test_make_staff_prints_the_address_of_the_shop_that_it_made_an_account_in(shop):
    email, env = f"{uuid.uuid4().hex[:8]}@example.com", {**os.environ, "DATA": str(shop.data)}
    command = [sys.executable, "-m", "local", "staff"]
    given = {**{name: value for name, value in env.items() if name != "PORT"}, "EMAIL": email}

    done = subprocess.run(  # noqa: S603 -- our own command
        command,
        cwd=ROOT,
        env={**given, "PASSWORD": "a long sentence"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == f"{email} may now sign in at {shop.url}/admin/ and do everything there.\n"
