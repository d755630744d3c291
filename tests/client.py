"""The shop as seen from outside: plain HTTP, no code of the services."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import urllib3

ADDRESS = {
    "name": "Test Buyer",
    "line1": "Teststraat 1",
    "postal_code": "1000",
    "city": "Brussels",
    "country": "BE",
}


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None


class Client:
    """Calls through the gateway; `token` and `cart` are sent when they are set.

    `source`: the address of this machine to call from, such as 127.0.0.2: another shopper's.
    """

    def __init__(self, url: str, source: str | None = None) -> None:
        self.url = url.replace("//localhost", "//127.0.0.1") if source else url
        self.token: str | None = None
        self.cart: str | None = None
        more: dict[str, Any] = {"source_address": (source, 0)} if source else {}
        self._pool = urllib3.PoolManager(maxsize=16, timeout=30.0, retries=False, **more)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """`body` is sent as JSON, bytes as they are; header names take `_` for `-`."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        if self.cart:
            sent.setdefault("X-Cart-Id", self.cart)
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        answer = self._pool.request(method, self.url + path, body=data, headers=sent, redirect=False)
        return Answer(answer.status, answer.headers, answer.data)

    def get(self, path: str, **headers: str) -> Answer:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self.call("POST", path, body, **headers)

    def put(self, path: str, body: Any, **headers: str) -> Answer:
        return self.call("PUT", path, body, **headers)

    def upload(self, path: str, file: bytes, name: str, alt: str) -> Answer:
        fields = {"file": (name, file, "application/octet-stream"), "alt": alt}
        data, content_type = urllib3.encode_multipart_formdata(fields)
        return self.call("POST", path, data, Content_Type=content_type)

    def form(self, path: str, fields: dict[str, str], **headers: str) -> Answer:
        """Return the fields that a browser sends of a page's form."""
        sent = {"Content_Type": "application/x-www-form-urlencoded", "Origin": self.url, **headers}
        return self.call("POST", path, urlencode(fields).encode(), **sent)

    # -- what buyers do

    def register(self) -> dict[str, Any]:
        """Return a new account, signed in; answers `{user, access, …}`."""
        email = f"buyer-{uuid.uuid4().hex[:12]}@example.com"
        body = {"email": email, "password": "a long enough sentence", "name": "Test Buyer"}
        answer = self.post("/api/auth/register", body)
        assert answer.status == 201, answer.body
        self.token = answer.json["access"]
        return dict(answer.json)

    def sign_in(self, email: str, password: str) -> None:
        answer = self.post("/api/auth/token", {"email": email, "password": password})
        assert answer.status == 200, answer.body
        self.token = answer.json["access"]

    def add(self, sku: str, quantity: int = 1) -> dict[str, Any]:
        answer = self.post("/api/cart/lines", {"sku": sku, "quantity": quantity})
        assert answer.status in (200, 201), answer.body
        if not self.token:
            self.cart = answer.json["id"]
        return dict(answer.json)

    def order(self, *, card: str = "tok_ok", key: str | None = None, **body: Any) -> Answer:
        """POST /orders; give `lines=` or `cart_id=`."""
        order = {
            "email": "buyer@example.com",
            "shipping_address": ADDRESS,
            "shipping_method": "standard",
            "payment": {"method": "card", "token": card},
            **body,
        }
        return self.post("/api/checkout/orders", order, Idempotency_Key=key or str(uuid.uuid4()))


class Staff(Client):
    """A member of staff: makes things to buy, and counts them."""

    def product(self, *, on_hand: int, price: int = 1999, category: str = "games") -> tuple[str, str]:
        """Return a product of one variant; answers `(slug, sku)`."""
        mark = uuid.uuid4().hex[:8]
        slug, sku = f"test-{mark}", f"TEST-{mark.upper()}"
        money = {"amount": price, "currency": "EUR"}
        body = {
            "slug": slug,
            "title": f"Test thing {mark}",
            "description": "Made by a test.",
            "brand": "Testbrand",
            "category": category,
            "variants": [{"sku": sku, "attributes": {}, "price": money, "compare_at_price": None}],
        }
        made = self.post("/api/catalog/products", body)
        assert made.status == 201, made.body
        self.stock(sku, on_hand)
        return slug, sku

    def stock(self, sku: str, on_hand: int) -> None:
        answer = self.put(f"/api/catalog/stock/{sku}", {"on_hand": on_hand})
        assert answer.status == 200, answer.body

    def on_hand(self, sku: str) -> dict[str, Any]:
        """`{on_hand, reserved, available}` by an adjustment of nothing."""
        answer = self.get(f"/api/catalog/stock/{sku}")
        assert answer.status == 200, answer.body
        return dict(answer.json)
