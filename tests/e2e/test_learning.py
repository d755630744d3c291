"""The shop learns what goes with what."""

from __future__ import annotations

import time
import uuid

import pytest

from tests.client import Client, Staff

pytestmark = pytest.mark.e2e


def train(staff: Staff) -> dict:
    training = staff.post("/api/reco/trainings", {}).json
    for _ in range(150):
        state = staff.get(f"/api/reco/trainings/{training['id']}").json
        if state["status"] in ("done", "failed"):
            assert state["status"] == "done", state["reason"]
            return state
        time.sleep(0.2)
    raise AssertionError(f"the training did not end: {state}")


def place_of(shop, product_id: str, among: str) -> int:
    results = Client(shop.url).get(f"/api/reco/similar/{among}?limit=100").json["results"]
    ids = [one["product_id"] for one in results]
    return ids.index(product_id) if product_id in ids else len(ids) + 100


def test_two_things_viewed_and_bought_together_rise_in_each_others_list(shop):
    staff = shop.staff()
    canoe = staff.get("/api/catalog/products/canoe").json
    banjo = staff.get("/api/catalog/products/banjo").json
    before = place_of(shop, banjo["id"], canoe["id"]), place_of(shop, canoe["id"], banjo["id"])
    staff.stock(canoe["variants"][0]["sku"], 50)
    staff.stock(banjo["variants"][0]["sku"], 50)

    for _ in range(6):
        together(shop, canoe, banjo)
    time.sleep(3)  # events of the orders travel to logs_svc
    train(staff)
    time.sleep(2.5)  # a replica looks for a new model every two seconds

    after = place_of(shop, banjo["id"], canoe["id"]), place_of(shop, canoe["id"], banjo["id"])
    assert after[0] < before[0]
    assert after[1] < before[1]
    assert max(after) < 5


def together(shop, *products: dict) -> None:
    """Return a visitor looks at these and buys them in one order."""
    visitor, session = Client(shop.url), uuid.uuid4().hex
    events = [{"type": "view", "product_id": product["id"], "session_id": session} for product in products]
    told = visitor.post("/api/logs/events", events, X_Session_Id=session)
    assert told.json["accepted"] == len(products), told.body
    lines = [{"sku": product["variants"][0]["sku"], "quantity": 1} for product in products]
    order = visitor.post(
        "/api/checkout/orders",
        {**order_body(), "lines": lines},
        Idempotency_Key=str(uuid.uuid4()),
        X_Session_Id=session,
    )
    assert order.status == 201, order.body


def order_body() -> dict:
    from tests.client import ADDRESS

    return {
        "email": "pair@example.com",
        "shipping_address": ADDRESS,
        "shipping_method": "standard",
        "payment": {"method": "card", "token": "tok_ok"},
    }


def test_every_demo_product_has_something_that_goes_with_it(shop):
    client = Client(shop.url)
    cards = client.get("/api/catalog/products?limit=100&brand=Fable").json["results"]

    without = [
        card["slug"]
        for card in cards
        if not client.get(f"/api/reco/similar/{card['id']}?limit=1").json["results"]
    ]

    assert cards
    assert without == []
