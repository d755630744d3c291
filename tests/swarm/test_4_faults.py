"""One part after the other is switched off: the rest sells on, the shopper is told, and nothing is lost.

The table of docs/architecture.md ("Fault isolation, as a shopper sees it"), row by row, database by database.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kill.audit_catalog import findings_of, getter
from tests.swarm.stack import Stack
from tests.swarm.test_3_steady import settled
from tests.swarm.visitor import Visitor

pytestmark = pytest.mark.swarm

EVERYTHING = ("browses", "searches", "logs_in", "fills_a_cart", "orders", "sees_old_orders")


def refused_for_now(visitor: Visitor) -> str:
    """Return an order is answered 503, and when to come again."""
    answer = visitor.buy(visitor.guest)
    return (
        "" if answer.status == 503 and "Retry-After" in answer.headers else f"{answer.status} {answer.body!r}"
    )


def page_says(path: str, *texts: str) -> Callable[[Visitor], str]:
    """Return the page, whatever its status, says one of these."""

    def look(visitor: Visitor) -> str:
        body = visitor.browser.get(path).body.decode()
        return "" if any(text in body for text in texts) else f"{path} does not say {texts}: {body[-1500:]}"

    return look


def form_says(path: str, text: str, **fields: str) -> Callable[[Visitor], str]:
    """Return a form that was sent is answered with this, and with 503."""

    def look(visitor: Visitor) -> str:
        answer = visitor.browser.post(path, **fields)
        good = answer.status == 503 and text in answer.body.decode()
        return "" if good else f"{path}: {answer.status} {answer.body.decode()[-1500:]}"

    return look


CART_SAFE = page_says("/checkout", "Checkout is taking a break; your cart is safe")
NO_BADGE = page_says("/fragments/header", "–")
NO_CART = form_says("/cart/add", "Nothing is lost", sku="any", quantity="1")
NO_SIGN_IN = form_says(
    "/signin", "Signing in is taking a break", email="a@example.com", password="not this one"
)
OLD_PRICES = page_says("/cart", "Prices may be a few minutes old")

ROWS: dict[str, tuple[tuple[str, ...], tuple[Callable[[Visitor], str], ...]]] = {
    "checkout": (("browses", "searches", "logs_in", "fills_a_cart"), (CART_SAFE,)),
    "checkout-couch": (("browses", "searches", "logs_in", "fills_a_cart"), (refused_for_now,)),
    "cart": (("browses", "searches", "logs_in", "sees_old_orders", "orders"), (NO_BADGE, NO_CART)),
    "cart-couch": (("browses", "searches", "logs_in", "sees_old_orders", "orders"), (NO_BADGE, NO_CART)),
    "auth": (("browses", "searches", "fills_a_cart", "orders", "sees_old_orders"), (NO_SIGN_IN,)),
    "auth-couch": (("browses", "searches", "fills_a_cart", "orders", "sees_old_orders"), (NO_SIGN_IN,)),
    "catalog-couch": (("browses", "searches", "logs_in", "sees_old_orders"), (refused_for_now,)),
    "catalog": (("browses", "logs_in", "sees_old_orders"), (OLD_PRICES, refused_for_now)),
    "reco": (EVERYTHING, ()),
    "reco-couch": (EVERYTHING, ()),
    "logs": (EVERYTHING, ()),
    "logs-couch": (EVERYTHING, ()),
    "redis": (EVERYTHING, ()),
    "azurite": (EVERYTHING, ()),
}


# Jobs, pictures and shelves may be away, and every service is ready for all that.
NOT_IN_HEALTH = {"azurite", "redis", "reco-couch"}


def all_is_well(visitor: Visitor, seconds: float = 20.0) -> dict[str, str]:
    """Return what does not work, once the gateway has had its second to see who is back."""
    end = time.monotonic() + seconds
    while True:
        wrong = {what: said for what in EVERYTHING if (said := getattr(visitor, what)())}
        if not wrong or time.monotonic() > end:
            return wrong
        time.sleep(1)


def catalog_findings(stack: Stack, seconds: float = 60.0) -> list[str]:
    """Return where lists, search, prices and availability differ from the documents at rest."""
    end = time.monotonic() + seconds
    while True:
        findings = findings_of(stack, getter(stack.url))
        if not findings or time.monotonic() > end:
            return findings
        time.sleep(2)


@pytest.fixture(scope="module")
def records(out: Path) -> Path:
    file = out / "faults.jsonl"
    file.write_text("")
    return file


@pytest.fixture(scope="module")
def visitor(stack, records) -> Visitor:
    return Visitor(stack, records)


@pytest.mark.parametrize("down", ROWS)
def test_what_does_not_need_the_part_that_is_down_goes_on(stack, visitor, down):
    works, shown = ROWS[down]
    seen = {path: visitor.browser.get(path).status for path in ("/", visitor.product_page)}

    with stack.stopped(down):
        broken = {what: wrong for what in works if (wrong := getattr(visitor, what)())}
        unsaid = [wrong for look in shown if (wrong := look(visitor))]
        health = stack.health()

    assert set(seen.values()) == {200}
    assert broken == {}
    assert unsaid == []
    assert health.get("status") in {"degraded", "down"} or down in NOT_IN_HEALTH, health
    assert all_is_well(visitor) == {}
    assert catalog_findings(stack) == []


def test_pictures_seen_before_come_from_the_gateway_while_the_blob_store_is_away(stack, visitor):
    card = visitor.guest.get(visitor.product).json
    path = card["images"][0]["renditions"][0]["url"].removeprefix(stack.url)
    stack.until(lambda: visitor.guest.get(path).status == 200, 30, "the picture")
    before = visitor.guest.get(path)

    with stack.stopped("azurite"):
        again = visitor.guest.get(path)
        new = visitor.guest.get("/media/products/never-seen.webp")

    assert (before.status, again.status) == (200, 200)
    assert again.body == before.body
    assert new.status == 503
    assert new.headers["Content-Type"].startswith("image/svg+xml")


def test_nothing_was_lost_in_all_of_this(stack, visitor, records):
    time.sleep(2)

    assert visitor.sees_old_orders() == ""
    cart = visitor.guest.get("/api/cart").json
    assert cart["id"] == visitor.cart["id"]
    assert settled(stack, [records]) == []
