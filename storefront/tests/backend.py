"""A small real HTTP server that answers like the six services behind the gateway's inner listener (api.md).

Tests start one on a free port and steer it: `down` (services that answer 502), `slow`, `answers` (canned answers for one
call). `python tests/backend.py 8901` runs it alone, for looking at the pages before the services exist.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Json = Any
Reply = tuple[int, Json, dict[str, str]]

_EUR = "EUR"
_GOODS = (
    ("Wireless headphones", "Vela", "audio", "1f3a7", 8900, 11900, ("Black", "Sand")),
    ("Table radio", "Lumen", "audio", "1f4fb", 5900, None, ()),
    ("Laptop 14 inch", "Cobalt", "computers", "1f4bb", 89900, 99900, ("16 GB", "32 GB")),
    ("Optical mouse", "Cobalt", "computers", "1f5b1-fe0f", 2400, None, ()),
    ("Compact camera", "Kestrel", "cameras", "1f4f7", 32900, 36900, ()),
    ("Telescope", "Kestrel", "cameras", "1f52d", 21900, 24900, ()),
    ("Two-seat sofa", "Alder & Oak", "living-room", "1f6cb-fe0f", 59900, 69900, ("Moss", "Rust")),
    ("Wooden chair", "Alder & Oak", "living-room", "1fa91", 8900, None, ()),
    ("Floor lamp", "Lumen", "living-room", "1f4a1", 5400, 6400, ()),
    ("Hand-thrown vase", "Mossbank", "living-room", "1f3fa", 4500, None, ()),
    ("Green tea", "Mossbank", "kitchen", "1f375", 900, None, ()),
    ("Cook's knife", "Fable", "kitchen", "1f52a", 6900, None, ()),
)
_TREE = (
    ("electronics", "Electronics", (("audio", "Audio"), ("computers", "Computers"), ("cameras", "Cameras"))),
    ("home", "Home", (("living-room", "Living room"), ("kitchen", "Kitchen"))),
)
TOKEN = "header.payload.signature"


def euros(amount: int) -> Json:
    return {"amount": amount, "currency": _EUR}


def slug_of(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower().replace("'", "")).strip("-")


@dataclass
class Backend:
    """All services in one process. `calls` remembers what was asked: (method, path, headers, body)."""

    media: str = "/media"
    down: set[str] = field(default_factory=set)
    broken: dict[str, int] = field(default_factory=dict)
    answers: dict[tuple[str, str], Reply] = field(default_factory=dict)
    calls: list[tuple[str, str, dict[str, str], Json]] = field(default_factory=list)
    carts: dict[str, dict[str, int]] = field(default_factory=dict)
    saved: dict[str, dict[str, int]] = field(default_factory=dict)
    orders: dict[str, Json] = field(default_factory=dict)
    products: list[Json] = field(default_factory=list)
    refreshed: int = 0

    def __post_init__(self) -> None:
        self.products = [self._product(number, *row) for number, row in enumerate(_GOODS)]

    def _product(self, number: int, title: str, brand: str, category: str, code: str, price: int, was: int | None, values: tuple[str, ...]) -> Json:
        sku = f"SKU-{number}"
        image = {"id": f"i{number}", "alt": title, "renditions": [
            {"url": f"{self.media}/{code}.{width}.webp", "width": width, "height": width, "format": "webp"} for width in (320, 640)
        ]}  # fmt: skip
        variants = [
            {
                "sku": f"{sku}-{value.upper()}" if value else sku,
                "attributes": {"colour": value} if value else {},
                "price": euros(price),
                "compare_at_price": euros(was) if was else None,
                "availability": "out" if value == "Rust" else "low" if number == 5 else "in_stock",
            }
            for value in values or ("",)
        ]
        top = next(t for t in _TREE if any(c[0] == category for c in t[2]))
        crumbs = [{"slug": top[0], "title": top[1]}, {"slug": category, "title": dict(top[2])[category]}]
        return {
            "id": f"product-{number}", "slug": slug_of(title), "title": title, "brand": brand, "category": category,
            "description": f"{title} by {brand}.\nMade to last, and made to be mended.",
            "breadcrumbs": crumbs, "variants": variants, "images": [image],
            "rating": {"average": 4.5, "count": 12} if number % 2 == 0 else {"average": None, "count": 0},
        }  # fmt: skip

    def card(self, product: Json) -> Json:
        first = product["variants"][0]
        card = {name: product[name] for name in ("id", "slug", "title", "brand", "category", "rating")}
        card |= {"image": product["images"][0], "price_from": first["price"], "compare_at_price": first["compare_at_price"], "availability": first["availability"]}
        return card | ({"sku": first["sku"]} if len(product["variants"]) == 1 else {})

    # --- dispatch -----------------------------------------------------------
    def answer(self, method: str, target: str, headers: dict[str, str], body: Json) -> Reply:
        parts = urlsplit(target)
        self.calls.append((method, target, headers, body))
        service = parts.path.split("/")[2]
        if service in self.down:
            return 502, {"type": "bad-gateway", "status": 502}, {}
        if service in self.broken:
            return self.broken[service], {"type": "unavailable", "status": self.broken[service]}, {"Retry-After": "1"}
        if (method, parts.path) in self.answers:
            return self.answers[method, parts.path]
        path = parts.path.removeprefix(f"/api/{service}")
        found: Callable[..., Reply] | None = getattr(self, f"_{service}", None)
        return found(method, path, dict(parse_qsl(parts.query)), headers, body) if found else missing()

    def asked(self, method: str, path: str) -> list[tuple[dict[str, str], Json]]:
        """Headers (names in lower case) and body of each call that was made there."""
        return [(h, b) for m, target, h, b in self.calls if m == method and urlsplit(target).path == path]

    # --- catalog ------------------------------------------------------------
    def _catalog(self, method: str, path: str, query: dict[str, str], headers: dict[str, str], body: Json) -> Reply:
        if path == "/categories":
            return ok([self._category(*row) for row in _TREE])
        if path == "/suggest":
            hits = [p for p in self.products if query["q"].lower() in p["title"].lower()]
            return ok({"products": [self.card(p) for p in hits], "categories": [], "queries": [p["title"].lower() for p in hits]})
        if path == "/products":
            return self._products(query)
        found = [p for p in self.products if path == f"/products/{p['slug']}"]
        return ok(found[0]) if found else missing()

    def _category(self, slug: str, title: str, children: tuple[tuple[str, str], ...] = ()) -> Json:
        inside = {slug, *(child for child, _ in children)}
        count = sum(p["category"] in inside for p in self.products)
        return {"slug": slug, "title": title, "count": count, "children": [self._category(*child) for child in children]}

    def _products(self, query: dict[str, str]) -> Reply:
        if "ids" in query:
            by_id = {p["id"]: p for p in self.products}
            return ok({"results": [self.card(by_id[i]) for i in query["ids"].split(",") if i in by_id], "next": None})
        found = self.products
        if "category" in query:
            slugs = {query["category"]} | {c for top in _TREE if top[0] == query["category"] for c, _ in top[2]}
            found = [p for p in found if p["category"] in slugs]
        if "q" in query:
            found = [p for p in found if query["q"].lower() in p["title"].lower()]
        if "brand" in query:
            found = [p for p in found if p["brand"] == query["brand"]]
        if query.get("on_sale"):
            found = [p for p in found if p["variants"][0]["compare_at_price"]]
        limit, start = int(query.get("limit", 24)), int(query.get("cursor", "0"))
        brands = sorted({p["brand"] for p in found})
        facets = {
            "category": [{"value": "audio", "label": "Audio", "count": 2}],
            "brand": [{"value": b, "label": b, "count": sum(p["brand"] == b for p in found)} for b in brands],
            "price": [{"value": "0-4999", "label": "Under €50", "count": 3}, {"value": "5000-", "label": "€50 and over", "count": 9}],
            "attr.colour": [{"value": "Black", "label": "Black", "count": 1}, {"value": "Sand", "label": "Sand", "count": 1}],
        }
        page = found[start : start + limit]
        more = str(start + limit) if len(found) > start + limit else None
        return ok({"results": [self.card(p) for p in page], "facets": facets, "total": len(found), "next": more})

    # --- cart ---------------------------------------------------------------
    def _cart(self, method: str, path: str, query: dict[str, str], headers: dict[str, str], body: Json) -> Reply:
        mine = "account" if "authorization" in headers else headers.get("x-cart-id", "")
        lines = self.carts.setdefault(mine, {}) if mine else {}
        if path == "/lines" and method == "POST":
            return self._add(mine, lines, body)
        if path == "/merge":
            for sku, count in self.carts.pop(body["cart_id"], {}).items():
                lines[sku] = lines.get(sku, 0) + count
        if path == "/coupon" and method == "POST":
            return 422, {"type": "unknown-coupon", "status": 422, "detail": "There is no coupon NOPE."}, {}
        sku = path.split("/")[2] if path.startswith(("/lines/", "/saved/")) else ""
        if method == "PATCH":
            lines[sku] = body["quantity"]
        elif method == "DELETE":
            lines.pop(sku, None)
        elif path.endswith("/save"):
            self.saved.setdefault(mine, {})[sku] = lines.pop(sku, 1)
        elif path.endswith("/restore"):
            lines[sku] = self.saved.setdefault(mine, {}).pop(sku, 1)
        return ok(self._cart_body(mine))

    def _add(self, mine: str, lines: dict[str, int], body: Json) -> Reply:
        if body["sku"] not in self._skus():
            return 422, {"type": "unknown-sku", "status": 422, "detail": "There is no such thing."}, {}
        mine = mine or "c0ffee" * 5 + "01"
        lines = self.carts.setdefault(mine, lines)
        lines[body["sku"]] = lines.get(body["sku"], 0) + body["quantity"]
        return 201, self._cart_body(mine), {"X-Cart-Id": mine}

    def _skus(self) -> dict[str, tuple[Json, Json]]:
        return {v["sku"]: (p, v) for p in self.products for v in p["variants"]}

    def _line(self, sku: str, count: int) -> Json:
        product, variant = self._skus()[sku]
        return {
            "sku": sku, "product_id": product["id"], "title": product["title"], "slug": product["slug"],
            "image": product["images"][0], "attributes": variant["attributes"], "unit_price": variant["price"],
            "quantity": count, "line_total": euros(variant["price"]["amount"] * count),
            "availability": variant["availability"],
            "notice": "Prices may be a few minutes old." if "catalog" in self.down else None,
        }  # fmt: skip

    def _cart_body(self, mine: str) -> Json:
        lines = [self._line(sku, count) for sku, count in self.carts.get(mine, {}).items()]
        total = euros(sum(line["line_total"]["amount"] for line in lines))
        return {
            "id": mine or None, "lines": lines, "saved": [self._line(s, c) for s, c in self.saved.get(mine, {}).items()],
            "coupon": None, "subtotal": total, "discount": euros(0), "total": total,
            "count": sum(line["quantity"] for line in lines),
        }  # fmt: skip

    # --- checkout -----------------------------------------------------------
    def _checkout(self, method: str, path: str, query: dict[str, str], headers: dict[str, str], body: Json) -> Reply:
        if path == "/shipping-methods":
            return ok({"results": [
                {"code": "standard", "name": "Standard", "price": euros(490), "min_days": 2, "max_days": 4},
                {"code": "express", "name": "Express", "price": euros(1290), "min_days": 1, "max_days": 1},
            ]})  # fmt: skip
        mine = "account" if "authorization" in headers else headers.get("x-cart-id", "")
        if path == "/quotes":
            return ok(self._totals(mine, body["shipping_method"]))
        if path == "/orders" and method == "POST":
            return self._order(mine, body, headers)
        if path == "/orders":
            return ok({"results": [o for o in self.orders.values() if "access_token" not in o], "next": None})
        number = path.split("/")[2] if path.startswith("/orders/") else ""
        order = self.orders.get(number)
        if order is None or ("access_token" in order and headers.get("x-order-token") != order["access_token"]):
            return missing()
        if path.endswith("/cancel"):
            order["status"] = "cancelled"
        return ok({name: value for name, value in order.items() if name != "access_token"})

    def _totals(self, mine: str, method: str) -> Json:
        subtotal = self._cart_body(mine)["subtotal"]["amount"]
        shipping = 1290 if method == "express" else 490
        total = subtotal + shipping
        tax = {"amount": euros(round(total * 21 / 121)), "rate": 0.21, "included": True}
        return {"subtotal": euros(subtotal), "discount": euros(0), "shipping": euros(shipping), "tax": tax, "total": euros(total)}

    def _order(self, mine: str, body: Json, headers: dict[str, str]) -> Reply:
        token = body["payment"]["token"]
        if token in ("tok_declined", "tok_insufficient_funds"):
            return 402, {"type": "payment-refused", "status": 402, "reason": token.removeprefix("tok_")}, {}
        waits = token in ("tok_requires_action", "tok_timeout_unknown")
        number = f"HM-{len(self.orders):012d}"
        order = {
            "number": number, "status": "pending" if waits else "confirmed", "placed_at": "2026-11-22T16:05:00.000Z",
            "email": body["email"], "lines": self._cart_body(mine)["lines"], "totals": self._totals(mine, body["shipping_method"]),
            "payment": {"status": "requires_action" if waits else "paid", "method": "card", "last4": "4242"}
            | ({"next_action": {"type": "redirect", "url": "/api/checkout/test-provider/p1"}} if waits else {}),
            "fulfilment": {"status": "unfulfilled", "shipments": []},
            "timeline": [{"at": "2026-11-22T16:05:00.000Z", "what": "placed"}, {"at": "2026-11-22T16:05:01.000Z", "what": "confirmed"}][: 1 if waits else 2],
            "shipping_method": body["shipping_method"], "shipping_address": body["shipping_address"],
        }  # fmt: skip
        if mine != "account":
            order["access_token"] = "guest-token"
        self.orders[number] = order
        if not waits:
            self.carts.pop(mine, None)
        return (202 if waits else 201), order, {}

    # --- auth, logs, reco ---------------------------------------------------
    def _auth(self, method: str, path: str, query: dict[str, str], headers: dict[str, str], body: Json) -> Reply:
        pair = {"access": TOKEN, "refresh": f"refresh-{self.refreshed}", "token_type": "Bearer", "expires_in": 600}
        user = {"id": "u1", "email": "ada@example.com", "name": "Ada", "email_verified": False, "roles": [], "created_at": "2026-01-01T00:00:00Z"}
        if path == "/register":
            if body["email"] == "taken@example.com":
                return 409, {"type": "email-taken", "status": 409}, {}
            return 201, pair | {"user": user | {"name": body["name"]}}, {}
        if path == "/token":
            good = body["password"] == "correct horse"
            return ok(pair) if good else (401, {"type": "invalid-credentials", "status": 401}, {})
        if path == "/token/refresh":
            self.refreshed += 1
            if body["refresh"] == "ended":
                return 401, {"type": "not-authenticated", "status": 401}, {}
            return ok(pair | {"refresh": f"refresh-{self.refreshed}"})
        if path == "/password/reset":
            used = body["token"] != "fresh"
            return (400, {"type": "invalid-token", "status": 400, "detail": "used"}, {}) if used else (204, None, {})
        if path in ("/password/forgot", "/token/revoke"):
            return 202, {}, {}
        if "authorization" not in headers:
            return 401, {"type": "not-authenticated", "status": 401}, {}
        if path == "/me/addresses":
            return ok({"results": [], "next": None})
        return ok(user | (body or {}))

    def _logs(self, method: str, path: str, query: dict[str, str], headers: dict[str, str], body: Json) -> Reply:
        return 202, {"accepted": len(body), "rejected": []}, {}

    def _reco(self, method: str, path: str, query: dict[str, str], headers: dict[str, str], body: Json) -> Reply:
        rows = [{"product_id": p["id"], "score": 1.0, "reason": ""} for p in self.products[:: -1 if "similar" in path else 1]]
        return ok({"results": rows[: int(query.get("limit", 8))], "model": {"version": "1", "algorithm": "knn", "trained_at": None}})


def ok(body: Json) -> Reply:
    return 200, body, {}


def missing() -> Reply:
    return 404, {"type": "not-found", "status": 404}, {}


def server(backend: Backend, port: int = 0) -> ThreadingHTTPServer:
    """The backend behind a socket of this machine; not yet serving."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16  # one packet an answer: small writes would wait for acknowledgements

        def _any(self) -> None:
            if self.path.startswith("/media/"):
                self._media()
                return
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, body, more = backend.answer(self.command, self.path, headers, json.loads(raw) if raw else None)
            self._send(status, b"" if body is None else json.dumps(body).encode(), {"Content-Type": "application/json", **more})

        def _send(self, status: int, data: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def _media(self) -> None:
            """The demo shop's pictures, where they are installed."""
            folder = Path(__file__).resolve().parents[2] / "local/seed/node_modules/@lobehub/fluent-emoji-3d/assets"
            file = folder / (self.path.rsplit("/", 1)[1].split(".")[0] + ".webp")
            if file.is_file():
                self._send(200, file.read_bytes(), {"Content-Type": "image/webp"})
            else:
                self._send(404, b"", {})

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any

        def log_message(self, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        # Many short connections at once must not be refused.
        request_queue_size = 64

    return Server(("127.0.0.1", port), Handler)


@contextmanager
def running(backend: Backend) -> Iterator[str]:
    """Serves it for the length of the block; its base URL."""
    listening = server(backend)
    thread = threading.Thread(target=lambda: listening.serve_forever(poll_interval=0.02), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.server_address[1]}"
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join(timeout=2)


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 8901
    server(Backend(media=f"http://127.0.0.1:{number}/media"), number).serve_forever()
