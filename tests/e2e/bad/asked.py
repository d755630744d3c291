"""Odd queries, methods, media types, addresses and events."""

from __future__ import annotations

import base64
import json
from typing import Any

from tests.e2e.bad.bodies import ORDER

GUARDED = [
    ("GET", "/api/auth/me", None),
    ("GET", "/api/cart", None),
    ("GET", "/api/catalog/products?limit=1", None),
    ("GET", "/api/checkout/orders", None),
    ("GET", "/api/logs/audit", None),
    ("GET", "/api/reco/trainings", None),
    ("POST", "/api/checkout/orders", ORDER),
]

KEYS = ["", " ", "a" * 256, "cl\u00e9", "a b", "a\tb", "x" * 5000]


def cursor(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


LISTS = [
    ("nobody", "/api/catalog/products"),
    ("nobody", "/api/catalog/products/<slug>/reviews"),
    ("buyer", "/api/checkout/orders"),
    ("buyer", "/api/auth/me/addresses"),
    ("staff", "/api/checkout/orders"),
    ("staff", "/api/logs/events"),
    ("staff", "/api/logs/audit"),
    ("staff", "/api/reco/trainings"),
    ("nobody", "/api/reco/trending"),
    ("nobody", "/api/reco/for-you"),
    ("nobody", "/api/reco/similar/x"),
]
LIMITS = [
    "0",
    "101",
    "abc",
    "-1",
    "1.5",
    "",
    "%201",
    "1e2",
    "0x10",
    "%D9%A3",
    "9" * 22,
    "true",
    "null",
    "%00",
    "%ff",
]
CURSORS = [
    "", "x", "!!!!", "%00", "%ff", "../..", "a" * 1025, "%7B%22%24gt%22%3Anull%7D", "null",
    *map(cursor, [{"$gt": None}, [], [1], None, [[["a"]]], [{"$gt": None}, "x"], ["popular", "x"],
        ["popular", -1]]),
    cursor(["popular", 10**40]), cursor([{"$gt": None}, "order:HM-000000000000"]), cursor("\ud800"),
    base64.urlsafe_b64encode(b"[" * 700).decode().rstrip("="),
]  # fmt: skip
ODD_LIST_QUERIES = [
    *[f"limit={limit}" for limit in LIMITS],
    *[f"cursor={text}" for text in CURSORS],
    *["limit=1&limit=2", "surprise=1", "$gt=1", "limit[$gt]=1", "%00=1", "__proto__=1"],
]

A_HUNDRED_AND_ONE_IDS = ",".join(["a"] * 101)
QUERIES = {
    "/api/catalog/products": [
        "min_price=abc", "min_price=-1", "max_price=1.5", "max_price=1e9", "max_price=" + "9" * 17,
        "rating=6",
        "rating=0", "sort=cheap", "in_stock=1", "in_stock=false", "on_sale=yes", "q=%00", "q=a&q=b",
        "q=" + "a" * 201, "attr.$gt=1", "attr.=1", "category[$gt]=", "category=%7B%22$gt%22:null%7D",
        "category=../x", "ids=", "ids=a,,b", "ids=..%2Fx", "ids=%7B%22$gt%22:null%7D", "ids=a&q=b",
        "ids=" + A_HUNDRED_AND_ONE_IDS, "brand=%00", "$where=1", "min_price[$lt]=1",
    ],
    "/api/catalog/suggest": ["", "q=%00", "x=1", "q[$gt]=", "q=" + "a" * 201],
    "/api/checkout/shipping-methods": [
        "", "country=XX", "country=be", "country=%00", "country[$gt]=", "country=BE&country=NL",
        "country=BE&weight=-1", "country=BE&weight=1.5", "country=BE&subtotal=abc",
    ],
    "/api/reco/together": ["", "ids=", "ids=,,", "ids=%00", "ids=" + A_HUNDRED_AND_ONE_IDS],
    "/api/reco/trending": ["category=%00", "category[$gt]=", "category=%7B%22$gt%22:null%7D"],
    "/api/reco/for-you": ["user=x"],
    "/api/checkout/orders": [
        "email[$gt]=", "email=%7B%22$gt%22:null%7D", "status=%7B%22$ne%22:null%7D", "status=x", "number=HM-1",
        "number=%7B%22$gt%22:null%7D", "from=yesterday", "to=99999-01-01", "from=%00", "selector=%7B%7D",
    ],
    "/api/logs/events": [
        "type=%7B%22$gt%22:null%7D", "type=x", "from=x", "to=2026-13-01", "user[$gt]=", "user=%00",
        "product=%00", "user=" + "a" * 129,
    ],
    "/api/logs/audit": ["actor[$gt]=", "actor=%00", "object=%00"],
    "/api/logs/stats/timeseries": ["from=x", "from=1900-01-01&to=2100-01-01", "type=%00"],
    "/api/logs/stats/top-products": ["limit=0", "limit=101", "type=x"],
}  # fmt: skip

EVENT = {"type": "view", "product_id": "p1"}
NOT_EVENTS = [
    {"type": "purchase", "product_id": "p1"}, 1, None, "x", [], {}, {"type": "nosuch"}, {"type": 1},
    {"type": None},
    {"type": ["view"]}, {"type": {"$gt": None}}, {**EVENT, "user": "x"}, {**EVENT, "account_id": "x"},
    {**EVENT, "quantity": 5}, {**EVENT, "data": {"$gt": 1}}, {**EVENT, "data": []}, {**EVENT, "data": "x"},
    {**EVENT, "data": {"a": "x" * 3000}}, {**EVENT, "at": "yesterday"}, {**EVENT, "at": 1},
    {**EVENT, "id": 1},
    {**EVENT, "id": "x" * 65}, {**EVENT, "id": ""}, {**EVENT, "product_id": 1},
    {**EVENT, "product_id": {"$gt": None}},
    {**EVENT, "product_id": "x" * 200}, {**EVENT, "session_id": "../x"}, {**EVENT, "surprise": 1},
    {**EVENT, "_id": "event:x"}, {**EVENT, "_rev": "1-a"},
]  # fmt: skip

OTHER_TYPES = [
    "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml",
    "",
    "application/jsonp", "application/json, text/plain", "garbage", "text/json",
]  # fmt: skip

METHODS = [
    ("DELETE", "/api/cart/lines"), ("GET", "/api/cart/lines"), ("PUT", "/api/cart"), ("POST", "/api/cart"),
    ("GET", "/api/cart/lines/<sku>"), ("PUT", "/api/checkout/orders"), ("DELETE", "/api/checkout/orders"),
    ("PATCH", "/api/checkout/orders/<order>"), ("DELETE", "/api/checkout/orders/<order>"),
    ("GET", "/api/checkout/quotes"), ("POST", "/api/checkout/shipping-methods"),
    ("GET", "/api/checkout/orders/<order>/cancel"), ("GET", "/api/auth/token"), ("GET", "/api/auth/register"),
    ("DELETE", "/api/auth/me"), ("POST", "/api/auth/me"), ("POST", "/api/auth/.well-known/jwks.json"),
    ("PATCH", "/api/catalog/products"), ("PUT", "/api/catalog/products/<slug>"),
    ("POST", "/api/catalog/suggest"),
    ("POST", "/api/catalog/stock/<sku>"), ("DELETE", "/api/catalog/products/<slug>/reviews"),
    ("PUT", "/api/logs/events"), ("POST", "/api/logs/audit"), ("POST", "/api/reco/trending"),
    ("DELETE", "/api/reco/trainings"), ("BREW", "/api/cart"), ("PROPFIND", "/api/catalog/products"),
]  # fmt: skip

LENGTHS = (3_000, 4_080, 4_100, 5_000, 7_000, *range(8_140, 8_196, 2), 9_000, 40_000)

ODD = [
    "%00", "..%2f..%2finternal", "%2e%2e", "%ff", "%7B%22%24gt%22%3Anull%7D", "_all_docs", "_design%2fx",
    "..%2f_all_docs", "A%00", "a%0d%0aX-Evil:1", "A" * 300, "no-such", "..;", "%252e%252e",
]  # fmt: skip
