"""People shop in a real browser."""

from __future__ import annotations

import re
import uuid

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.e2e


def put_in_cart(page, slug):
    page.goto(f"/p/{slug}")
    page.get_by_role("button", name="Add to cart", exact=True).click()
    expect(page.locator("#toast")).to_contain_text("cart")


def fill_address(page, email=None):
    if email:
        page.get_by_label("E-mail").first.fill(email)
    page.get_by_label("Name").first.fill("Ada Lovelace")
    page.locator("#id_line1").fill("Rue de la Loi 16")
    page.locator("#id_postal_code").fill("1000")
    page.locator("#id_city").fill("Brussels")
    page.locator("#id_country").select_option("BE")


def pay(page, card="tok_ok"):
    page.locator(f"#card-{card}").check()
    page.get_by_role("button", name="Order and pay").click()


def test_a_guest_finds_a_thing_buys_it_and_sees_the_order(page):
    page.goto("/")
    page.locator("#q").fill("teddy")
    page.locator("#q").press("Enter")
    page.locator("main .card-link").first.click()
    expect(page.locator("h1")).to_have_text("Teddy bear")
    put_in_cart(page, "teddy-bear")

    page.goto("/cart")
    page.get_by_role("link", name="Check out").click()
    fill_address(page, "guest@example.com")
    pay(page)

    expect(page).to_have_url(re.compile(r"/orders/HM-"))
    expect(page.locator("main")).to_contain_text("Teddy bear")
    expect(page.locator("main")).to_contain_text("HM-")
    page.goto("/cart")
    expect(page.locator("main")).to_contain_text("Your cart is empty")


def test_a_new_customer_registers_buys_and_finds_the_order_again(page):
    put_in_cart(page, "green-tea")
    page.goto("/signup")
    page.locator("#id_name").fill("Grace Hopper")
    page.locator("#id_email").fill(f"grace-{uuid.uuid4().hex[:8]}@example.com")
    page.locator("#id_password").fill("compilers are for people")
    page.get_by_role("button", name="Create my account").click()
    expect(page.locator("#me")).to_contain_text("Grace")

    page.goto("/checkout")
    fill_address(page)
    pay(page)
    expect(page).to_have_url(re.compile(r"/orders/HM-"))
    number = re.search(r"HM-[0-9A-Z]+", page.url).group()

    page.goto("/orders")
    expect(page.locator("main")).to_contain_text(number)


def test_a_refused_card_is_explained_and_nothing_typed_is_lost(page):
    put_in_cart(page, "honey")
    page.goto("/checkout")
    fill_address(page, "guest@example.com")
    pay(page, "tok_declined")
    expect(page.locator("#refusal")).to_contain_text("Another card may work")
    page.get_by_text("More test cards").click()
    pay(page, "tok_insufficient_funds")
    expect(page.locator("#refusal")).to_contain_text("There was not enough money on the card")
    expect(page.locator("#id_line1")).to_have_value("Rue de la Loi 16")
    pay(page)
    expect(page).to_have_url(re.compile(r"/orders/HM-"))


def test_the_shop_works_without_javascript(browser, shop):
    context = browser.new_context(base_url=shop.url, java_script_enabled=False)
    page = context.new_page()

    page.goto("/p/cookies")
    page.get_by_role("button", name="Add to cart", exact=True).click()
    page.goto("/cart")
    expect(page.locator("main")).to_contain_text("Cookies")
    page.get_by_role("link", name="Check out").click()
    fill_address(page, "plain@example.com")
    pay(page)

    expect(page).to_have_url(re.compile(r"/orders/HM-"))
    context.close()


def test_facets_narrow_a_search_down(page):
    page.goto("/search?q=camera")
    before = page.locator("main .card").count()

    page.goto("/search?q=camera&max_price=200")

    assert 0 < page.locator("main .card").count() < before
