"""What shelves of recommendations show, what of that shoppers see and click, and how they begin anew."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.e2e


def figures(shop, shelf: str) -> dict[str, Any]:
    """Today's of one shelf, all variants together."""
    today = datetime.now(UTC).date().isoformat()
    answer = shop.staff().get(f"/api/logs/stats/widgets?from={today}&to={today}")
    mine = [one for one in answer.json["results"] if one["shelf"] == shelf]
    return {name: sum(one[name] for one in mine) for name in ("impressions", "clicks", "add_to_cart")}


def soon(true: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "nothing of it after so many seconds"
        time.sleep(0.5)


def agree(page) -> None:
    page.goto("/")
    page.get_by_role("button", name="Yes, remember").click()
    expect(page.locator("#consent-title")).to_have_count(0)


def test_what_a_shelf_shows_what_is_clicked_and_put_into_the_cart_is_counted_under_its_name(page, shop):
    before = figures(shop, "goes-with")
    agree(page)

    page.goto("/p/canoe")
    shelf = page.locator('[data-shelf="goes-with"]')
    shelf.scroll_into_view_if_needed()
    expect(shelf.locator(".card-link").first).to_be_visible()
    page.wait_for_timeout(500)
    shelf.locator(".card-link").first.click()
    page.get_by_role("button", name="Add to cart", exact=True).click()
    expect(page.locator("#toast")).to_contain_text("cart")
    page.goto("/")  # what is left is told as the page is left

    soon(lambda: figures(shop, "goes-with")["add_to_cart"] > before["add_to_cart"])
    after = figures(shop, "goes-with")
    assert after["impressions"] >= before["impressions"] + 2
    assert after["clicks"] == before["clicks"] + 1


def test_a_click_is_on_the_next_page_says_why_and_can_be_forgotten(page):
    agree(page)
    for slug in ("canoe", "teddy-bear", "canoe"):
        page.goto(f"/p/{slug}")
        page.wait_for_timeout(300)
    viewed = page.locator('[data-shelf="because-viewed"]')

    soon(lambda: at_home(page) and viewed.count() == 1)

    expect(viewed.locator("h2")).to_contain_text("Because you viewed")
    page.get_by_text("Why these?").first.click()
    page.get_by_role("button", name="Delete what I looked at").first.click()
    soon(lambda: at_home(page) and viewed.count() == 0)


def at_home(page) -> bool:
    page.goto("/")
    page.locator('[data-shelf="for-you"], [data-shelf="because-viewed"]').first.wait_for()
    return True
