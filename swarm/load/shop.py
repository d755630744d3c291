"""The shop's mix as Locust users: of fourteen visits ten look around, three fill a cart, one orders.

    python -m locust -f swarm/load/shop.py --headless -u 20 -r 5 -t 2m -H https://localhost:8443

Loopback or the own stack only, please. A certificate that the shop signed itself is believed.
"""

from __future__ import annotations

import random
import uuid
from typing import Any

import urllib3
from locust import HttpUser, between, task

ADDRESS = {
    "name": "Load Test",
    "line1": "1 Quay Street",
    "city": "Dublin",
    "postal_code": "D01 X2Y3",
    "country": "IE",
}
urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)


class Shopper(HttpUser):
    """One visit after the other, with a moment of reading between two pages."""

    wait_time = between(0.5, 2.0)

    def on_start(self) -> None:
        """Look up what is sold; a shop without goods is looked at all the same."""
        self.client.verify = False
        found = self.client.get("/api/catalog/products?limit=24", name="list").json().get("results", [])
        self.goods: list[dict[str, Any]] = found

    @task(10)
    def browse(self) -> None:
        self.client.get("/", name="home")
        self.client.get("/api/catalog/products?limit=24", name="list")
        if self.goods:
            good = random.choice(self.goods)  # noqa: S311 -- load, not secrets
            self.client.get(f"/p/{good['slug']}", name="product page")
            self.client.get(f"/api/catalog/suggest?q={good['title'][:3]}", name="suggest")

    @task(3)
    def fill_a_cart(self) -> None:
        if sku := self._sku():
            self._add(sku)

    @task(1)
    def order(self) -> None:
        sku = self._sku()
        cart = self._add(sku) if sku else ""
        if not cart:
            return
        body = {
            "cart_id": cart,
            "email": f"{uuid.uuid4().hex[:8]}@example.com",
            "shipping_address": ADDRESS,
            "shipping_method": "standard",
            "payment": {"method": "card", "token": "tok_ok"},
        }
        key = {"Idempotency-Key": str(uuid.uuid4())}
        with self.client.post(
            "/api/checkout/orders", json=body, headers=key, name="order", catch_response=True
        ) as answer:
            if answer.status_code == 409:  # sold out meanwhile: an answer, not a failure
                answer.success()

    def _sku(self) -> str:
        """Return an SKU of a random product; lists have none, so its detail is requested."""
        if not self.goods:
            return ""
        slug = random.choice(self.goods)["slug"]  # noqa: S311 -- as above
        variants = self.client.get(f"/api/catalog/products/{slug}", name="product").json().get("variants", [])
        return str(variants[0]["sku"]) if variants else ""

    def _add(self, sku: str) -> str:
        """Return the cart's id, "" when nothing could be put into one."""
        key = {"Idempotency-Key": str(uuid.uuid4())}
        with self.client.post(
            "/api/cart/lines", json={"sku": sku, "quantity": 1}, headers=key, name="add", catch_response=True
        ) as answer:
            if answer.status_code == 409:
                answer.success()
            return str(answer.json().get("id", "")) if answer.status_code in (200, 201) else ""
