"""Responses of the six services, with just enough state to shop."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.backend import sample_catalog
from tests.backend.sample_catalog import euros

Json = Any
Headers = dict[str, str]
Reply = tuple[int, Json, Headers]

TOKEN = "header.payload.signature"
GUEST_CART = "c0ffee" * 5 + "01"
_USER = {"id": "u1", "email": "ada@example.com", "name": "Ada", "email_verified": False, "roles": []}
_WAITING = ("tok_requires_action", "tok_timeout_unknown")


def ok(body: Json) -> Reply:
    return 200, body, {}


def problem(status: int, type: str, **members: Any) -> Reply:
    return status, {"type": type, "title": type, "status": status, "detail": type, **members}, {}


@dataclass(frozen=True)
class Call:
    method: str
    target: str
    headers: Headers  # names in lower case
    body: Json

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query))

    @property
    def owner(self) -> str:
        """Owner of the cart: the account, or a guest's cart id."""
        return "account" if "authorization" in self.headers else self.headers.get("x-cart-id", "")


@dataclass
class Backend:
    """All services in one process; `calls` records the requests."""

    media: str = "/media"
    down: set[str] = field(default_factory=set)
    broken: dict[str, int] = field(default_factory=dict)
    limited: dict[str, int] = field(default_factory=dict)
    nonsense: set[str] = field(default_factory=set)
    revoked: set[str] = field(default_factory=set)
    answers: dict[tuple[str, str], Reply] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    carts: dict[str, dict[str, int]] = field(default_factory=dict)
    saved: dict[str, dict[str, int]] = field(default_factory=dict)
    orders: dict[str, Json] = field(default_factory=dict)
    payable: bool = True

    def __post_init__(self) -> None:
        self.products = sample_catalog.products(self.media)

    def answer(self, method: str, target: str, headers: Headers, body: Json) -> Reply:
        call = Call(method, target, headers, body)
        self.calls.append(call)
        _, _, service, *rest = call.path.split("/", 3)
        if service in self.down:
            return problem(502, "bad-gateway")
        if service in self.broken:
            return problem(self.broken[service], "unavailable")
        if service in self.limited:
            status, answer, _ = problem(429, "too-many-requests")
            return status, answer, {"Retry-After": str(self.limited[service])}
        if service in self.nonsense:
            return ok([None])
        if headers.get("authorization", "").removeprefix("Bearer ") in self.revoked:
            return problem(401, "bad-token")
        if (method, call.path) in self.answers:
            return self.answers[method, call.path]
        reply: Reply = getattr(self, f"_{service}")(call, "/" + "/".join(rest) if rest else "")
        return reply

    def calls_to(self, method: str, path: str) -> list[Call]:
        return [call for call in self.calls if (call.method, call.path) == (method, path)]

    # --- catalog ------------------------------------------------------------
    def _catalog(self, call: Call, path: str) -> Reply:
        if path == "/categories":
            return ok(sample_catalog.categories(self.products))
        if path == "/suggest":
            hits = [p for p in self.products if call.query["q"].lower() in p["title"].lower()]
            words = [p["title"].lower() for p in hits]
            return ok(
                {"products": [sample_catalog.card(p) for p in hits], "categories": [], "queries": words}
            )
        if path == "/products":
            return self._list(call.query)
        found = [p for p in self.products if path == f"/products/{p['slug']}"]
        return ok(found[0]) if found else problem(404, "not-found")

    def _list(self, query: dict[str, str]) -> Reply:
        if "ids" in query:
            by_id = {p["id"]: p for p in self.products}
            some = [sample_catalog.card(by_id[i]) for i in query["ids"].split(",") if i in by_id]
            return ok({"results": some, "facets": {}, "total": len(some), "next": None})
        found = [p for p in self.products if self._fits(p, query)]
        limit, start = int(query.get("limit", 24)), int(query.get("cursor", "0"))
        more = str(start + limit) if len(found) > start + limit else None
        page = [sample_catalog.card(p) for p in found[start : start + limit]]
        return ok(
            {"results": page, "facets": sample_catalog.facets(found), "total": len(found), "next": more}
        )

    @staticmethod
    def _fits(product: Json, query: dict[str, str]) -> bool:
        return (
            ("category" not in query or product["category"] in sample_catalog.under(query["category"]))
            and query.get("q", "").lower() in product["title"].lower()
            and query.get("brand", product["brand"]) == product["brand"]
            and ("on_sale" not in query or product["variants"][0]["compare_at_price"] is not None)
        )

    # --- cart ---------------------------------------------------------------
    def _cart(self, call: Call, path: str) -> Reply:
        lines = self.carts.setdefault(call.owner, {}) if call.owner else {}
        if (call.method, path) == ("POST", "/lines"):
            return self._add(call, lines)
        if path == "/coupon":
            return problem(422, "unknown-coupon", detail="There is no coupon NOPE.")
        if path == "/merge":
            for sku, count in self.carts.pop(call.body["cart_id"], {}).items():
                lines[sku] = lines.get(sku, 0) + count
        elif path and not call.owner:
            return problem(404, "not-found")
        elif path:
            self._line_changed(call, lines, sku=path.split("/")[2])
        return ok(self.cart_body(call.owner))

    def _line_changed(self, call: Call, lines: dict[str, int], sku: str) -> None:
        kept = self.saved.setdefault(call.owner, {})
        if call.method == "PATCH":
            lines[sku] = call.body["quantity"]
        elif call.method == "DELETE":
            lines.pop(sku, None)
        elif call.path.endswith("/save"):
            kept[sku] = lines.pop(sku)
        else:
            lines[sku] = kept.pop(sku)

    def _add(self, call: Call, lines: dict[str, int]) -> Reply:
        sku = call.body["sku"]
        if sku not in self._skus():
            return problem(422, "unknown-sku")
        owner = call.owner or GUEST_CART
        lines = self.carts.setdefault(owner, lines)
        lines[sku] = lines.get(sku, 0) + call.body["quantity"]
        return 201, self.cart_body(owner), {"X-Cart-Id": owner}

    def _skus(self) -> dict[str, tuple[Json, Json]]:
        return {v["sku"]: (p, v) for p in self.products for v in p["variants"]}

    def _line(self, sku: str, count: int) -> Json:
        product, variant = self._skus()[sku]
        return {
            "sku": sku,
            "product_id": product["id"],
            "title": product["title"],
            "slug": product["slug"],
            "image": product["images"][0],
            "attributes": variant["attributes"],
            "unit_price": variant["price"],
            "quantity": count,
            "line_total": euros(variant["price"]["amount"] * count),
            "availability": variant["availability"],
            "notice": "Prices may be a few minutes old." if "catalog" in self.down else None,
        }

    def cart_body(self, owner: str) -> Json:
        lines = [self._line(sku, count) for sku, count in self.carts.get(owner, {}).items()]
        total = euros(sum(line["line_total"]["amount"] for line in lines))
        return {
            "id": owner or None,
            "lines": lines,
            "saved": [self._line(sku, count) for sku, count in self.saved.get(owner, {}).items()],
            "coupon": None,
            "subtotal": total,
            "discount": euros(0),
            "total": total,
            "count": sum(line["quantity"] for line in lines),
        }

    # --- checkout -----------------------------------------------------------
    def _checkout(self, call: Call, path: str) -> Reply:
        if path == "/shipping-methods":
            return ok({"results": [_method("standard", 490, 2, 4), _method("express", 1290, 1, 1)]})
        if path == "/payment-methods":
            return ok({"results": [{"code": "card", "test": True}] if self.payable else []})
        if path == "/quotes":
            return ok(self._totals(call))
        if (call.method, path) == ("POST", "/orders"):
            return self._place(call) if self.payable else problem(503, "payment-not-configured")
        if path == "/orders":
            return ok({"results": [o for o in self.orders.values() if "access_token" not in o], "next": None})
        order = self.orders.get(path.split("/")[2], {"access_token": object()})
        token = call.headers.get("x-order-token")
        if not (token == order["access_token"] if "access_token" in order else call.owner == "account"):
            return problem(404, "not-found")
        if path.endswith("/cancel"):
            order["status"] = "cancelled"
        return ok({name: value for name, value in order.items() if name != "access_token"})

    def _totals(self, call: Call) -> Json:
        subtotal = self.cart_body(call.owner)["subtotal"]["amount"]
        shipping = 1290 if call.body["shipping_method"] == "express" else 490
        return {
            "subtotal": euros(subtotal),
            "discount": euros(0),
            "shipping": euros(shipping),
            "tax": {"amount": euros(round((subtotal + shipping) * 21 / 121)), "rate": 0.21, "included": True},
            "total": euros(subtotal + shipping),
        }

    def _place(self, call: Call) -> Reply:
        token = call.body["payment"]["token"]
        if token in ("tok_declined", "tok_insufficient_funds"):
            return problem(402, "payment-refused", code=token.removeprefix("tok_"))
        order = self._order(call, waits=token in _WAITING)
        self.orders[order["number"]] = order
        if order["status"] == "pending":
            return 202, order, {}
        self.carts.pop(call.owner, None)
        return 201, order, {}

    def _order(self, call: Call, *, waits: bool) -> Json:
        action = (
            {"next_action": {"type": "redirect", "url": "/api/checkout/test-provider/p1"}} if waits else {}
        )
        paid = {"status": "requires_action" if waits else "paid", "method": "card", "last4": "4242"}
        order = {
            "number": f"HM-{len(self.orders):012d}",
            "status": "pending" if waits else "confirmed",
            "placed_at": "2026-11-22T16:05:00.000Z",
            "email": call.body["email"],
            "lines": self.cart_body(call.owner)["lines"],
            "totals": self._totals(call),
            "payment": paid | action,
            "fulfilment": {"status": "unfulfilled", "shipments": []},
            "timeline": [{"at": "2026-11-22T16:05:00.000Z", "what": "placed"}],
            "shipping_method": call.body["shipping_method"],
            "shipping_address": call.body["shipping_address"],
        }
        return order | ({} if call.owner == "account" else {"access_token": "guest-token"})

    # --- auth, logs, reco ---------------------------------------------------
    def _auth(self, call: Call, path: str) -> Reply:
        if path == "/me/addresses":
            return ok({"results": [], "next": None})
        if path == "/me":
            known = "authorization" in call.headers
            return ok(_USER | (call.body or {})) if known else problem(401, "not-authenticated")
        if path in ("/token", "/token/refresh"):
            wrong = "wrong" in (call.body.get("password"), call.body.get("refresh"))
            return problem(401, "invalid-credentials") if wrong else ok(_pair())
        if path == "/register":
            taken = call.body["email"] == "taken@example.com"
            answer = _pair() | {"user": _USER | {"name": call.body["name"]}}
            return problem(409, "email-taken") if taken else (201, answer, {})
        if path == "/password/reset" and call.body["token"] != "fresh":
            return problem(400, "invalid-token")
        return 202, {}, {}

    def _logs(self, call: Call, path: str) -> Reply:
        return 202, {"accepted": len(call.body), "rejected": []}, {}

    def _reco(self, call: Call, path: str) -> Reply:
        if call.method == "DELETE":
            return 204, {}, {}
        if path.startswith("/similar"):
            chosen, why = self.products[::-1], [_because("viewed_with", "often bought together")] * 99
        else:
            chosen = self.products
            lamp = {"product_id": "lamp", "title": "Floor lamp"}
            viewed = _because("viewed", "because you viewed Floor lamp", **lamp)
            why = [viewed] * 3 + [_because("trending", "wanted by many just now")] * 99
        rows = [{"product_id": p["id"], "score": 1.0, **r} for p, r in zip(chosen, why, strict=False)]
        model = {"version": "1", "algorithm": "knn", "trained_at": None}
        return ok({"results": rows[: int(call.query.get("limit", 8))], "model": model})


def _method(code: str, price: int, least: int, most: int) -> Json:
    return {"code": code, "name": code.title(), "price": euros(price), "min_days": least, "max_days": most}


def _because(kind: str, reason: str, **about: str) -> Json:
    return {"reason": reason, "because": {"kind": kind, **about}}


def _pair() -> dict[str, Json]:
    return {"access": TOKEN, "refresh": "refresh-2", "token_type": "Bearer", "expires_in": 600}
