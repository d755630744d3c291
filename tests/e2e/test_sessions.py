"""Signed-in shoppers whose access token or session ends while they are buying: nothing is lost."""

from __future__ import annotations

import re
import uuid

import pytest
from playwright.sync_api import expect

from tests.client import Client
from tests.e2e.test_faults import until
from tests.e2e.test_shopping import fill_address, put_in_cart

pytestmark = pytest.mark.e2e

PASSWORD = "compilers are for people"
SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}


@pytest.fixture(params=SIZES)
def member(page, request):
    """Somebody who has signed up and has honey in the cart, on the checkout's page; answers the e-mail."""
    page.set_viewport_size(SIZES[request.param])
    email = f"grace-{uuid.uuid4().hex[:8]}@example.com"
    page.goto("/signup")
    page.locator("#id_name").fill("Grace Hopper")
    page.locator("#id_email").fill(email)
    page.locator("#id_password").fill(PASSWORD)
    page.get_by_role("button", name="Create my account").click()
    expect(page.locator("main")).to_contain_text(email)
    put_in_cart(page, "honey")
    page.goto("/checkout")
    return email


def end_access(page):
    """As ten minutes do: the cookie goes 20 seconds before its token."""
    page.context.clear_cookies(name="access")


def end_session(page, shop):
    """As a sign-out elsewhere does, ten minutes ago."""
    refresh = next(each["value"] for each in page.context.cookies() if each["name"] == "refresh")
    assert Client(shop.url).post("/api/auth/token/revoke", {"refresh": refresh}).status == 204
    end_access(page)


def order_button(page):
    return page.locator("#summary").get_by_role("button", name="Order and pay")


def type_on(page):
    """Fill the form in; each change asks for the summary again."""
    fill_address(page)
    with page.expect_response("**/fragments/summary") as answer:
        page.locator("#methods input").last.check()
    return answer.value


def test_an_ended_access_token_is_renewed_while_typing_and_the_order_goes_through(page, member):
    end_access(page)

    assert type_on(page).status == 200

    expect(order_button(page)).to_be_visible()
    expect(page.locator("#summary [data-said]")).to_have_count(0)
    end_access(page)
    order_button(page).click()
    expect(page).to_have_url(re.compile(r"/orders/HM-"))
    page.goto("/orders")
    expect(page.locator("main")).to_contain_text("HM-")


def test_with_checkout_away_the_summary_stays_and_can_be_asked_for_again(page, shop, member):
    with shop.stopped("checkout"):
        assert type_on(page).status == 503
        said = page.locator("#summary [data-said]")
        expect(said).to_contain_text("Checkout is taking a break; your cart is safe.")
        expect(said).to_contain_text("Nothing you typed is lost.")
        expect(order_button(page)).to_be_visible()

    until(lambda: Client(shop.url).get("/healthz").json["status"] == "ok")
    until(lambda: _asked_again(page))
    expect(page.locator("#id_line1")).to_have_value("Rue de la Loi 16")
    order_button(page).click()
    expect(page).to_have_url(re.compile(r"/orders/HM-"))


def _asked_again(page):
    with page.expect_response("**/fragments/summary") as answer:
        page.locator("#summary").get_by_role("button", name="Try again").click()
    return answer.value.status == 200


def test_without_a_network_the_cart_stays_and_can_be_asked_for_again(page, member):
    page.goto("/cart")
    page.context.set_offline(True)

    page.get_by_role("button", name="One more of").click()

    said = page.locator("#cart > [data-said]")
    expect(said).to_contain_text("We cannot reach the shop.")
    expect(page.locator(".line-title")).to_contain_text("Honey")
    page.context.set_offline(False)
    said.get_by_role("button", name="Try again").click()
    expect(page.locator("#cart input[name=quantity]")).to_have_value("2")
    expect(page.locator("#cart > [data-said]")).to_have_count(0)


def test_a_session_that_ended_elsewhere_loses_neither_cart_nor_form(page, shop, member):
    end_session(page, shop)

    assert type_on(page).status == 401
    expect(page.locator("#summary [data-said]")).to_contain_text(
        "You have been signed out. Nothing in your cart is lost."
    )
    order_button(page).click()
    expect(page.locator("h1")).to_have_text("You have been signed out")
    page.locator("#id_email").fill(member)
    page.locator("#id_password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Go on").click()

    expect(page.locator("#id_line1")).to_have_value("Rue de la Loi 16")
    expect(page.locator("#summary")).to_contain_text("Honey")
    order_button(page).click()
    expect(page).to_have_url(re.compile(r"/orders/HM-"))


def test_the_cart_of_a_session_that_ended_elsewhere_waits(page, shop, member):
    end_session(page, shop)

    page.goto("/cart")

    expect(page.locator("main")).to_contain_text("Your cart is safe with your account.")
    page.locator("#id_email").fill(member)
    page.locator("#id_password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page).to_have_url(re.compile(r"/cart$"))
    expect(page.locator(".line-title")).to_contain_text("Honey")
