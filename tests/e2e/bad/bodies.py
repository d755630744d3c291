"""Good bodies of every call that writes, and what breaks a rule of it.

`<sku>`, `<order>` … are filled in by the scene.
"""

from __future__ import annotations

import uuid
from typing import Any

from tests.client import ADDRESS

PASSWORD = "a long enough sentence"
LINES = [{"sku": "<sku>", "quantity": 1}]
QUOTE = {"lines": LINES, "shipping_address": ADDRESS, "shipping_method": "standard"}
ORDER = {**QUOTE, "email": "<email>", "payment": {"method": "card", "token": "tok_ok"}}
PRICE = {"amount": 100, "currency": "EUR"}
PRODUCT = {"title": "Bad", "category": "games", "variants": [{"sku": "BAD", "price": PRICE}]}

# name: (who, method, path, a good body, whether every field may be left out)
WRITING: dict[str, tuple[str, str, str, Any, bool]] = {
    "register": (
        "nobody", "POST", "/api/auth/register",
        {"email": "new-<email>", "password": PASSWORD, "name": "New"}, False,
    ),
    "token": ("nobody", "POST", "/api/auth/token", {"email": "<email>", "password": PASSWORD}, False),
    "refresh": ("nobody", "POST", "/api/auth/token/refresh", {"refresh": "nothing"}, False),
    "revoke": ("nobody", "POST", "/api/auth/token/revoke", {"refresh": "nothing"}, False),
    "forgot": ("nobody", "POST", "/api/auth/password/forgot", {"email": "<email>"}, False),
    "reset": ("nobody", "POST", "/api/auth/password/reset", {"token": "nothing", "password": PASSWORD},
        False),
    "change": ("buyer", "POST", "/api/auth/password/change", {"old": PASSWORD, "new": PASSWORD}, False),
    "verify": ("nobody", "POST", "/api/auth/email/verify", {"token": "nothing"}, False),
    "erase": ("buyer", "POST", "/api/auth/me/erase", {"password": PASSWORD}, False),
    "me": ("buyer", "PATCH", "/api/auth/me", {"name": "Other"}, True),
    "new address": ("buyer", "POST", "/api/auth/me/addresses", ADDRESS, False),
    "address": ("buyer", "PUT", "/api/auth/me/addresses/<address>", ADDRESS, False),
    "add to cart": ("buyer", "POST", "/api/cart/lines", LINES[0], False),
    "cart line": ("buyer", "PATCH", "/api/cart/lines/<sku>", {"quantity": 2}, False),
    "coupon": ("buyer", "POST", "/api/cart/coupon", {"code": "NOPE"}, False),
    "merge": ("buyer", "POST", "/api/cart/merge", {"cart_id": "0" * 32}, False),
    "quote": ("nobody", "POST", "/api/checkout/quotes", {**QUOTE, "shipping_address": {"country": "BE"}},
        False),
    "order": ("nobody", "POST", "/api/checkout/orders", ORDER, False),
    "order of an account": ("buyer", "POST", "/api/checkout/orders", ORDER, False),
    "cancel": ("buyer", "POST", "/api/checkout/orders/<order>/cancel", {}, True),
    "shipment": (
        "staff", "POST", "/api/checkout/orders/<order>/shipments",
        {"carrier": "post", "tracking": "1"}, False,
    ),
    "refund": ("staff", "POST", "/api/checkout/orders/<order>/refunds", {"reason": "broken"}, False),
    "review": ("buyer", "POST", "/api/catalog/products/<slug>/reviews", {"rating": 5, "title": "Good"},
        False),
    "new product": ("staff", "POST", "/api/catalog/products", PRODUCT, False),
    "product": ("staff", "PATCH", "/api/catalog/products/<slug>", {"title": "Other"}, True),
    "new category": ("staff", "POST", "/api/catalog/categories", {"title": "Bad", "position": 1}, True),
    "stock": ("staff", "PUT", "/api/catalog/stock/<sku>", {"on_hand": 7}, False),
    "adjustment": (
        "staff", "POST", "/api/catalog/stock/<sku>/adjustments",
        {"delta": 1, "reason": "found"}, False,
    ),
    "training": ("staff", "POST", "/api/reco/trainings", {}, True),
}  # fmt: skip


def headers_of(name: str) -> dict[str, str]:
    return {"Idempotency_Key": uuid.uuid4().hex, **({"If_Match": "*"} if name == "product" else {})}


# -- rules: what is well-formed, and not taken. (name of WRITING, what to change, status, type, field)


def order(**change: Any) -> dict[str, Any]:
    return {name: value for name, value in {**ORDER, **change}.items() if value is not ...}


def line(quantity: Any, sku: str = "<sku>") -> list[dict[str, Any]]:
    return [{"sku": sku, "quantity": quantity}]


HUNDRED_AND_ONE = [{"sku": f"S-{number}", "quantity": 1} for number in range(101)]
QUANTITIES = (0, -1, 1.5, 10**9, 100, 1e2)
RULES: list[tuple[str, Any, int, str | None, str | None]] = [
    *[("add to cart", line(many)[0], 400, "invalid", "quantity") for many in QUANTITIES],
    *[("cart line", {"quantity": many}, 400, "invalid", "quantity") for many in QUANTITIES],
    *[("quote", {**QUOTE, "lines": line(many)}, 400, "invalid", "lines.0.quantity") for many in QUANTITIES],
    *[("order", order(lines=line(many)), 400, "invalid", "lines.0.quantity") for many in QUANTITIES],
    ("add to cart", line(1, "NOT-SOLD")[0], 422, "unknown-sku", None),
    ("add to cart", line(1, "../../etc/passwd")[0], 422, "unknown-sku", None),
    ("add to cart", line(1, "<slug>")[0], 422, "unknown-sku", None),
    ("add to cart", line(1, '{"$gt":null}')[0], 422, "unknown-sku", None),
    ("add to cart", line(1, "é" * 64)[0], 422, "unknown-sku", None),
    ("quote", {**QUOTE, "lines": line(1, "NOT-SOLD")}, 422, "unknown-sku", None),
    ("order", order(lines=line(1, "NOT-SOLD")), 422, "unknown-sku", None),
    ("order", order(lines=line(1, "A,B&sku=C")), 422, "unknown-sku", None),
    ("order", order(lines=[*LINES, *line(1, "NOT-SOLD")]), 422, "unknown-sku", None),
    ("order", order(lines=[*LINES, *LINES]), 400, "invalid", "lines"),
    ("quote", {**QUOTE, "lines": [*LINES, *LINES]}, 400, "invalid", "lines"),
    ("order", order(lines=HUNDRED_AND_ONE), 400, "invalid", "lines"),
    ("quote", {**QUOTE, "lines": HUNDRED_AND_ONE}, 400, "invalid", "lines"),
    ("order", order(lines=[]), 400, "invalid", "lines"),
    ("order", order(lines=...), 400, "invalid", "lines"),
    ("order", order(cart_id="<cart>"), 400, "invalid", "lines"),
    ("order", order(lines=..., cart_id="0" * 32), 404, "not-found", None),
    ("order", order(lines=..., cart_id="../carts/<cart>"), 400, "invalid", "cart_id"),
    ("order", order(lines=..., cart_id=".."), 404, "not-found", None),
    *[
        ("order", order(shipping_address={**ADDRESS, "country": country}), 400, "invalid",
            "shipping_address.country")
        for country in ("XX", "be", "BEL", "B", "Belgium", "\u0411\u0415")
    ],
    ("order", order(billing_address={**ADDRESS, "country": "XX"}), 400, "invalid", "billing_address.country"),
    ("order", order(billing_address={}), 400, "invalid", "billing_address"),
    ("new address", {**ADDRESS, "country": "XX"}, 400, "invalid", "country"),
    ("quote", {**QUOTE, "shipping_address": {"country": "XX"}}, 400, "invalid", "shipping_address"),
    ("order", order(shipping_method="teleport"), 422, None, None),
    ("order", order(payment={"method": "cash", "token": "tok_ok"}), 400, "invalid", "payment.method"),
    ("order", order(expected_total={"amount": 1, "currency": "USD"}), 422, "total-changed", None),
    ("order", order(expected_total={"amount": 1, "currency": "EUR"}), 422, "total-changed", None),
    ("order", order(expected_total={"amount": -1, "currency": "EUR"}), 400, "invalid",
        "expected_total.amount"),
    ("order", order(expected_total={"amount": "1", "currency": "EUR"}), 400, "invalid",
        "expected_total.amount"),
    ("order", order(expected_total={"amount": 1.5, "currency": "EUR"}), 400, "invalid",
        "expected_total.amount"),
    ("order", order(expected_total={"amount": 1, "currency": "eur"}), 400, "invalid",
        "expected_total.currency"),
    ("order", order(expected_total={"amount": 1}), 400, "invalid", "expected_total.currency"),
    ("order", order(total={"amount": 1, "currency": "EUR"}), 400, "invalid", "total"),
    ("order", order(status="confirmed"), 400, "invalid", "status"),
    ("order", order(email="nobody"), 400, "invalid", "email"),
    ("order", order(email="a@b.example\nBcc: c@d.example"), 400, "invalid", "email"),
    ("order", order(email="a" * 250 + "@example.com"), 400, "invalid", "email"),
    ("coupon", {"code": "NOPE"}, 422, "unknown-coupon", None),
    ("coupon", {"code": "' OR 1=1 --"}, 422, "unknown-coupon", None),
    ("merge", {"cart_id": "../<cart>"}, 404, "not-found", None),
    ("merge", {"cart_id": "0" * 32}, 404, "not-found", None),
    ("register", {"email": "nobody", "password": PASSWORD, "name": "A"}, 400, "invalid", "email"),
    ("register", {"email": "new-<email>", "password": "short", "name": "A"}, 400, "invalid", "password"),
    ("register", {"email": "new-<email>", "password": "x" * 129, "name": "A"}, 400, "invalid", "password"),
    (
        "register",
        {"email": "new-<email>", "password": PASSWORD, "name": "A", "roles": ["admin"]}, 400, "invalid",
        "roles",
    ),
    ("register", {"email": "new-<email>", "password": PASSWORD, "name": "A\r\nBcc: b@c.example"}, 400,
        "invalid", "name"),
    ("me", {"roles": ["admin"]}, 400, "invalid", "roles"),
    ("me", {"email_verified": True}, 400, "invalid", "email_verified"),
    ("me", {"email": "<email>"}, 400, "invalid", "email"),
    ("token", {"email": "<email>", "password": "wrong wrong wrong"}, 401, None, None),
    ("refresh", {"refresh": "é" * 40}, 401, None, None),
    ("reset", {"token": "nothing", "password": PASSWORD}, 400, None, None),
    ("verify", {"token": "nothing"}, 400, None, None),
    ("change", {"old": "wrong wrong wrong", "new": PASSWORD}, 403, "wrong-password", None),
    ("erase", {"password": "wrong wrong wrong"}, 403, "wrong-password", None),
    *[("review", {"rating": stars, "title": "A"}, 400, "invalid", "rating") for stars in (0, 6, -1, 4.5)],
    ("review", {"rating": 5, "title": "A", "verified_purchase": True}, 400, "invalid", "verified_purchase"),
    ("stock", {"on_hand": -1}, 400, "invalid", "on_hand"),
    ("stock", {"on_hand": 10**15}, 400, "invalid", "on_hand"),
    ("adjustment", {"delta": 0, "reason": "A"}, 400, "invalid", "delta"),
    ("adjustment", {"delta": -(10**6), "reason": "A"}, 422, None, None),
    ("new product", {**PRODUCT, "slug": "A B/../c"}, 400, "invalid", "slug"),
    ("new product", {**PRODUCT, "slug": "<slug>"}, 409, "slug-taken", None),
    ("new product", {**PRODUCT, "category": "no-such"}, 422, None, None),
    ("new product", {**PRODUCT, "variants": [{"sku": "<sku>", "price": PRICE}]}, 409, "sku-taken", None),
    *[
        ("new product", {**PRODUCT, "variants": [{"sku": "BAD", "price": price}]}, 400, "invalid",
            "variants.0.price")
        for price in ({"amount": 0, "currency": "EUR"}, {"amount": -1, "currency": "EUR"},
            {"amount": 1, "currency": "USD"})
    ],
    ("product", {"price": 1}, 400, "invalid", "price"),
    ("refund", {"reason": "A", "amount": {"amount": 10**11, "currency": "EUR"}}, 422, None, None),
    ("refund", {"reason": "A", "amount": {"amount": 1, "currency": "USD"}}, 422, None, None),
    ("refund", {"reason": "A", "amount": {"amount": 0, "currency": "EUR"}}, 422, None, None),
    ("refund", {"reason": "A", "lines": line(2)}, 422, None, None),
    ("refund", {"reason": "A", "lines": line(1, "NOT-SOLD")}, 422, None, None),
    ("shipment", {"carrier": "A", "tracking": "B", "lines": line(2)}, 409, None, None),
]  # fmt: skip

# (who, method, path): what belongs to somebody else is not there, and what is for staff is not for shoppers.
FOREIGN = [
    ("stranger", "GET", "/api/checkout/orders/<order>", None),
    ("nobody", "GET", "/api/checkout/orders/<order>", None),
    ("stranger", "GET", "/api/checkout/orders/<guest-order>", None),
    ("buyer", "GET", "/api/checkout/orders/<guest-order>", None),
    ("stranger", "POST", "/api/checkout/orders/<order>/cancel", {}),
    ("nobody", "POST", "/api/checkout/orders/<guest-order>/cancel", {}),
    ("stranger", "GET", "/api/auth/me/addresses/<address>", None),
    ("stranger", "PUT", "/api/auth/me/addresses/<address>", ADDRESS),
    ("stranger", "DELETE", "/api/auth/me/addresses/<address>", None),
    ("stranger", "POST", "/api/checkout/orders", order(lines=..., cart_id="<cart>")),
    ("nobody", "POST", "/api/checkout/orders", order(lines=..., cart_id="<cart>")),
    (
        "stranger",
        "POST",
        "/api/checkout/quotes",
        {"cart_id": "<cart>", **{k: v for k, v in QUOTE.items() if k != "lines"}},
    ),
    ("stranger", "POST", "/api/cart/merge", {"cart_id": "<cart>"}),
    ("stranger", "PATCH", "/api/cart/lines/<sku>", {"quantity": 5}),
    ("stranger", "DELETE", "/api/cart/lines/<sku>", None),
    ("stranger", "POST", "/api/cart/lines/<sku>/save", None),
    ("stranger", "POST", "/api/cart/saved/<sku>/restore", None),
]
FOR_STAFF = [
    (WRITING[name][1], WRITING[name][2], WRITING[name][3])
    for name in ("shipment", "refund", "new product", "product", "new category", "stock", "adjustment",
        "training")
] + [
    ("POST", "/api/checkout/orders/<order>/deliver", None),
    ("DELETE", "/api/catalog/products/<slug>", None),
    ("GET", "/api/catalog/stock/<sku>", None),
    ("POST", "/api/catalog/products/<slug>/images", None),
    ("GET", "/api/logs/events", None),
    ("GET", "/api/logs/audit", None),
    ("GET", "/api/reco/trainings", None),
]  # fmt: skip
