"""Tests of the admin pages; a known session replaces auth's staff sign-in."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from django.test import Client

from chassis.admin import sso
from chassis.testing.identity import make_token
from checkout.domain import FulfilmentStatus, OrderStatus, RefundRequest, Shipment
from checkout.services import Basket

ORDERS = "/admin/checkout/checkout/order/"
ALL = ["checkout.order.read", "checkout.order.write", "checkout.refund.write"]


@pytest.fixture
def staff(shop):
    def client(permissions=ALL) -> Client:
        token = make_token("staff-1", ["support"], permissions)
        answer = {"access": token, "expires_in": 600, "user": {"name": "Sam", "email": "sam@example.com"}}
        sso.use(sso.SignOn(lambda session: answer))
        found = Client()
        found.cookies["staff_session"] = "session"
        return found

    return client


def act(client: Client, action: str, *numbers: str):
    data = {"action": action, "_selected_action": list(numbers)}
    return client.post(
        ORDERS, data, follow=True, headers={"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
    )


def test_the_overview_shows_sales_and_what_is_stuck(shop, staff):
    shop.place()

    page = staff().get("/admin/checkout/").content.decode()

    assert "Sales today" in page
    assert "Stuck" in page


def test_orders_are_listed_searched_filtered_and_shown(shop, staff):
    ada = shop.place().order.id
    bob = shop.place(key="k2", email="bob@example.com", payment_token="tok_declined").order.id
    client = staff()

    def page(query: str = "") -> str:
        return client.get(f"{ORDERS}{query}").content.decode()

    assert ada in page()
    assert bob in page()
    assert bob not in page("?q=ada@example.com")
    assert bob not in page(f"?q={ada.lower()}")
    assert ada not in page("?status__exact=cancelled")
    detail = page(f"{ada}/change/")
    for text in (ada, "TEA", "10.00 EUR", "confirmed", "paid", "Brussels"):
        assert text in detail


def test_orders_cannot_be_added_or_changed_by_hand(shop, staff):
    number = shop.place().order.id

    assert staff().get(f"{ORDERS}add/").status_code == 403
    assert staff().post(f"{ORDERS}{number}/change/", {"status": "cancelled"}).status_code == 403


def test_actions_call_the_use_cases_and_are_audited(shop, staff):
    number, other = shop.place().order.id, shop.place(key="k2").order.id
    client = staff()

    act(client, "ship", number)
    act(client, "deliver", number)
    act(client, "refund", number)
    act(client, "cancel", number, other)

    order, cancelled = shop.orders.get(number), shop.orders.get(other)
    assert (order.fulfilment, order.status) == (FulfilmentStatus.DELIVERED, OrderStatus.CONFIRMED)
    assert cancelled.status is OrderStatus.CANCELLED
    assert shop.charged() == 0
    actions = [event["data"]["action"] for event in order.events if event["type"] == "audit.recorded"]
    assert actions == ["ship", "deliver", "refund"]


def test_an_order_shows_sent_and_refunded_units_per_line(shop, staff):
    number = shop.place(basket=Basket(lines={"TEA": 3, "CUP": 1})).order.id
    order_service = shop.parts.order_service
    order_service.ship(number, Shipment("s1", shop.clock(), "bpost", "1", {"TEA": 1}), actor="staff-1")
    order_service.refund(
        number, RefundRequest("r1", shop.clock(), "broken", lines={"CUP": 1}), actor="staff-1"
    )

    page = staff().get(f"{ORDERS}{number}/change/").content.decode()

    rows = [re.findall(r"<td>(.*?)</td>", row) for row in re.findall(r"<tr>(<td>.*?)</tr>", page)]
    assert ["TEA", "3", "1", "2", "0", "30.00 EUR", "0.00 EUR"] in rows
    assert ["CUP", "1", "0", "0", "1", "25.00 EUR", "25.00 EUR"] in rows
    assert ["shipping", "–", "–", "–", "–", "4.95 EUR", "0.00 EUR"] in rows
    assert "fingerprint" not in page.lower()


def test_a_lines_image_is_shown_as_an_escaped_table(shop, staff):
    order = shop.place().order
    picture = {"alt": "Tea & <b>", "renditions": [{"url": "/media/tea.webp", "width": 160}]}
    order.lines = tuple(replace(line, image=picture) for line in order.lines)
    shop.orders.save(order)

    page = staff().get(f"{ORDERS}{order.id}/change/").content.decode()

    assert "<td>/media/tea.webp</td>" in page
    assert "&lt;table" not in page
    assert "Tea &amp; &lt;b&gt;" in page


def test_a_reader_has_no_actions(shop, staff):
    number = shop.place().order.id

    act(staff(["checkout.order.read"]), "cancel", number)

    assert shop.orders.get(number).status is OrderStatus.CONFIRMED


def test_dead_letters_have_a_page(shop, staff):
    assert staff().get("/admin/checkout/checkout/deadletter/").status_code == 200
