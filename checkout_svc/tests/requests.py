"""Request bodies, URLs and helpers that the tests of the views share."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client

URL = "/api/checkout/orders"
ADDRESS = {
    "name": "Ada",
    "line1": "1 Main St",
    "postal_code": "1000",
    "city": "Brussels",
    "country": "BE",
}
BODY: dict[str, Any] = {
    "lines": [{"sku": "TEA", "quantity": 2}],
    "email": "Ada@Example.com",
    "shipping_address": ADDRESS,
    "shipping_method": "standard",
    "payment": {"method": "card", "token": "tok_ok"},
}
QUOTE = {"lines": BODY["lines"], "shipping_address": ADDRESS, "shipping_method": "standard"}
READER = "checkout.order.read"
WRITER = "checkout.order.write"


def eur(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "EUR"}


TOTALS = {
    "subtotal": eur(2000),
    "discount": eur(0),
    "shipping": eur(495),
    "tax": {"amount": eur(433), "rate": 0.21, "included": True},
    "taxes": [{"rate": 0.21, "base": eur(2062), "amount": eur(433), "country": "BE"}],
    "total": eur(2495),
}


def post(
    client: Client, body: Any = None, *, key: str | None = "key-1", url: str = URL, **headers: str
) -> Any:
    sent = {**({"Idempotency-Key": key} if key else {}), **headers}
    return client.post(url, json.dumps(BODY if body is None else body), "application/json", headers=sent)


def paying(token: str) -> dict[str, Any]:
    return {**BODY, "payment": {"method": "card", "token": token}}
