"""A small shop's life by its public API: what `make.py` fills a shop with, and tests find again later."""

from __future__ import annotations

import time
import uuid
from typing import Any

from tests.client import ADDRESS, Client, Staff

EMAIL, WORD = "kept@example.com", "a long enough sentence"
GUEST = "guest@example.com"
GOODS = {
    "KEPT-TEAPOT": ("teapot", "Teapot", 4900),
    "KEPT-CUP": ("cup", "茶碗 – cup", 1250),
    "KEPT-TRAY": ("tray", "Plateau à thé", 2999),
}
STOCK = 40
# The smallest PNG that is a picture: 1 x 1, red.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108020000009077"
    "53de0000000c4944415408d763f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)
Record = dict[str, Any]


def live(url: str, staff: Staff) -> Record:
    """Fill an empty shop; answers what it should hold from now on, by the words of the API."""
    _goods(staff)
    shopper = _account(url)
    orders = _orders(url, shopper, staff)
    carts = _carts(url, shopper)
    events = _events(url, staff)
    model = _model(staff)
    return {"email": EMAIL, "password": WORD, **orders, **carts, "events": events, "model": model}


def _goods(staff: Staff) -> None:
    _done(staff.post("/api/catalog/categories", {"title": "Kitchen", "slug": "kitchen", "position": 1}))
    for sku, (slug, title, price) in GOODS.items():
        money = {"amount": price, "currency": "EUR"}
        variant = {"sku": sku, "attributes": {"colour": "blue"}, "price": money, "compare_at_price": None}
        body = {"slug": slug, "title": title, "description": "Kept.", "brand": "Kept", "category": "kitchen"}
        _done(staff.post("/api/catalog/products", {**body, "variants": [variant]}))
        staff.stock(sku, STOCK)
    image = _done(staff.upload("/api/catalog/products/teapot/images", PNG, "teapot.png", "A teapot"))
    _until(lambda: staff.get(f"/api/catalog/images/{image['id']}").json["status"] == "ready")


def _account(url: str) -> Client:
    shopper = Client(url)
    registered = shopper.post("/api/auth/register", {"email": EMAIL, "password": WORD, "name": "花子 Kept"})
    shopper.token = _done(registered)["access"]
    _done(shopper.post("/api/auth/me/addresses", ADDRESS))
    return shopper


def _orders(url: str, shopper: Client, staff: Staff) -> Record:
    """One that is paid, sent and partly paid back, one that was cancelled, one that waits for the bank."""
    lines = [{"sku": "KEPT-TEAPOT", "quantity": 2}, {"sku": "KEPT-CUP", "quantity": 3}]
    paid = _done(shopper.order(lines=lines, email=EMAIL))
    sent = {"carrier": "Post", "tracking": "KEPT1", "lines": lines[:1]}
    at = f"/api/checkout/orders/{paid['number']}"
    _done(staff.post(f"{at}/shipments", sent, Idempotency_Key=str(uuid.uuid4())))
    back = {"lines": [{"sku": "KEPT-CUP", "quantity": 1}], "reason": "broken"}
    _done(staff.post(f"{at}/refunds", back, Idempotency_Key=str(uuid.uuid4())))
    cancelled = _done(shopper.order(lines=lines[1:], email=EMAIL))
    _done(shopper.post(f"/api/checkout/orders/{cancelled['number']}/cancel", {"reason": "changed my mind"}))
    guest = Client(url)
    tray = [{"sku": "KEPT-TRAY", "quantity": 1}]
    waiting = _done(guest.order(lines=tray, email=GUEST, card="tok_requires_action"))
    return {
        "orders": {
            name: {"number": each["number"], **_facts(staff, each["number"])}
            for name, each in (("paid", paid), ("cancelled", cancelled), ("waiting", waiting))
        },
        "guest_token": waiting["access_token"],
    }


def _facts(staff: Staff, number: str) -> Record:
    order = staff.get(f"/api/checkout/orders/{number}").json
    return {
        "status": order["status"],
        "payment": order["payment"]["status"],
        "fulfilment": order["fulfilment"]["status"],
        "total": order["totals"]["total"],
    }


def _carts(url: str, shopper: Client) -> Record:
    guest = Client(url)
    guest.add("KEPT-TRAY", 2)
    guest.add("KEPT-CUP", 1)
    shopper.add("KEPT-CUP", 4)
    return {"guest_cart": guest.cart, "carts": {"guest": lines_of(guest), "account": lines_of(shopper)}}


def lines_of(client: Client) -> dict[str, int]:
    """SKU -> quantity of the caller's cart."""
    return {line["sku"]: line["quantity"] for line in client.get("/api/cart").json["lines"]}


def _events(url: str, staff: Staff) -> int:
    """Ten visits that look at two things each; answers how many events the figures know."""
    ids = [staff.get(f"/api/catalog/products/{slug}").json["id"] for slug, _, _ in GOODS.values()]
    for visit in range(10):
        session = f"kept-{visit}"
        seen = [{"type": "view", "product_id": ids[n % 3], "session_id": session} for n in (visit, visit + 1)]
        _done(Client(url).post("/api/logs/events", seen, X_Session_Id=session))
    _until(lambda: views(staff) >= 20)
    return views(staff)


def views(staff: Staff) -> int:
    """Return views of all days, as the dashboard counts them."""
    top = staff.get("/api/logs/stats/top-products?type=view&from=2026-01-01&to=2026-12-31")
    return sum(each["count"] for each in top.json["results"])


def _model(staff: Staff) -> str:
    training = _done(staff.post("/api/reco/trainings", {}))
    at = f"/api/reco/trainings/{training['id']}"
    _until(lambda: staff.get(at).json["status"] in ("done", "failed"))
    trained = staff.get(at).json
    assert trained["status"] == "done", trained
    return str(trained["id"])


def _done(answer: Any) -> Any:
    assert answer.status < 300, (answer.status, answer.body)
    return answer.json


def _until(condition: Any, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.3)
