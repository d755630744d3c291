"""Shoppers as they come over HTTP: each has a connection that is kept or not, a cart, perhaps a token.

What they do is one request each. Nothing is tried again: what a shopper would have seen is what counts.
"""

from __future__ import annotations

import http.client
import json
import random
import socket
import ssl
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from tests.client import ADDRESS

LONGEST = 45.0  # seconds that a shopper waits
# Of a hundred requests: seven in ten look around, two fill carts, one orders.
MIX = {
    "page": 24,
    "product": 12,
    "list": 10,
    "search": 9,
    "reco": 5,
    "suggest": 3,
    "me": 3,
    "event": 3,
    "keys": 1,
    "add": 12,
    "cart": 8,
    "order": 8,
    "order-cart": 1,
    "order-again": 1,
}
READS = {"page", "product", "list", "search", "reco", "suggest", "me", "keys", "cart"}
Told = tuple[str, int, str]
"""what was asked for, the status, and what was wrong with the answer: nothing, mostly"""


class Server:
    """The gateway, on the loopback's IPv4 address: `localhost` would be looked up for each connection."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host, self._name = parts.netloc, parts.hostname or "localhost"
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        # Trusts what SSL_CERT_FILE names: the stack's own certificate.
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None

    def connect(self) -> http.client.HTTPConnection:
        if self._tls is None:
            return http.client.HTTPConnection("127.0.0.1", self._port, timeout=LONGEST)
        made = http.client.HTTPSConnection(self._name, self._port, timeout=LONGEST, context=self._tls)
        made._create_connection = _to_loopback  # type: ignore[attr-defined]
        return made


def _to_loopback(address: tuple[str, int], *rest: Any) -> socket.socket:
    return socket.create_connection(("127.0.0.1", address[1]), *rest)


@dataclass
class Shopper:
    """One person."""

    server: Server
    keeps: bool
    token: str = ""
    cart: str = ""
    lines: dict[str, int] = field(default_factory=dict)
    last_order: tuple[str, dict[str, Any], dict[str, int]] | None = None
    _connection: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
        """Status and body. OSError or HTTPException when there was no answer."""
        connection = self._connection or self.server.connect()
        sent = {"Host": self.server.host} | {name.replace("_", "-"): text for name, text in headers.items()}
        sent |= {} if self.keeps else {"Connection": "close"}
        sent |= {} if body is None else {"Content-Type": "application/json"}
        self._connection = None
        try:
            connection.request(method, path, None if body is None else json.dumps(body).encode(), sent)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            raise
        if self.keeps and not answer.will_close:
            self._connection = connection
        else:
            connection.close()
        return answer.status, content

    def leave(self) -> None:
        """Without a connection from now on, until the next request."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None


class Visit:
    """What shoppers do."""

    def __init__(
        self, goods: list[dict[str, Any]], dice: random.Random, record: Callable[[Any], None]
    ) -> None:
        """`goods`: `{sku, slug, id, title}` each; `record` takes what an order was answered."""
        self._goods, self._dice, self._record = goods, dice, record

    def run(self, kind: str, who: Shopper) -> Told:
        """One of MIX."""
        told: Told = getattr(self, "_" + kind.replace("-", "_"))(who)
        return told

    @staticmethod
    def _expect(request: str, wanted: tuple[int, ...], answer: tuple[int, bytes]) -> Told:
        status, body = answer
        wrong = body[:300].decode(errors="replace") or "no body"
        return request, status, "" if status in wanted else wrong

    def _get(self, who: Shopper, path: str, **headers: str) -> Told:
        return self._expect(f"GET {path}", (200,), who.ask("GET", path, **headers))

    def _good(self) -> dict[str, Any]:
        return self._dice.choice(self._goods)

    def _word(self) -> str:
        return quote(self._dice.choice(self._good()["title"].split()))

    # -- looking around

    def _page(self, who: Shopper) -> Told:
        product = f"/p/{self._good()['slug']}"
        return self._get(who, self._dice.choice(["/", product, product, f"/search?q={self._word()}"]))

    def _list(self, who: Shopper) -> Told:
        order = self._dice.choice(["price", "newest", "popular"])
        return self._get(who, f"/api/catalog/products?limit=24&sort={order}")

    def _search(self, who: Shopper) -> Told:
        return self._get(who, f"/api/catalog/products?q={self._word()}")

    def _product(self, who: Shopper) -> Told:
        return self._get(who, f"/api/catalog/products/{self._good()['slug']}")

    def _suggest(self, who: Shopper) -> Told:
        return self._get(who, f"/api/catalog/suggest?q={self._good()['title'][:3]}")

    def _reco(self, who: Shopper) -> Told:
        similar = f"/api/reco/similar/{self._good()['id']}"
        return self._get(who, self._dice.choice(["/api/reco/trending?limit=8", similar]))

    def _keys(self, who: Shopper) -> Told:
        return self._get(who, "/api/auth/.well-known/jwks.json")

    def _me(self, who: Shopper) -> Told:
        if not who.token:
            return self._keys(who)
        return self._get(who, "/api/auth/me", Authorization=f"Bearer {who.token}")

    def _event(self, who: Shopper) -> Told:
        event = {"id": str(uuid.uuid4()), "type": "view", "product_id": self._good()["id"]}
        return self._expect("POST /api/logs/events", (202,), who.ask("POST", "/api/logs/events", [event]))

    # -- filling a cart

    @staticmethod
    def _whose(who: Shopper) -> dict[str, str]:
        return {"X_Cart_Id": who.cart} if who.cart else {}

    def _cart(self, who: Shopper) -> Told:
        return self._get(who, "/api/cart", **self._whose(who))

    def _add(self, who: Shopper) -> Told:
        sku = self._good()["sku"]
        if who.lines.get(sku, 0) > 90:
            return self._cart(who)
        headers = {"Idempotency_Key": str(uuid.uuid4()), **self._whose(who)}
        lines = {**who.lines, sku: who.lines.get(sku, 0) + 1}
        who.cart, who.lines = "", {}  # after a failure nobody knows what is in it: another cart then
        answer = who.ask("POST", "/api/cart/lines", {"sku": sku, "quantity": 1}, **headers)
        if answer[0] in (200, 201):
            who.cart, who.lines = json.loads(answer[1])["id"], lines
        return self._expect("POST /api/cart/lines", (200, 201), answer)

    # -- ordering

    def _order(self, who: Shopper) -> Told:
        skus = self._dice.sample([good["sku"] for good in self._goods], 2)
        lines = {sku: self._dice.randint(1, 2) for sku in skus}
        wish = {"lines": [{"sku": sku, "quantity": count} for sku, count in lines.items()]}
        return self._buy(who, wish, lines)

    def _order_cart(self, who: Shopper) -> Told:
        if not who.cart:
            return self._add(who)
        wish, lines = {"cart_id": who.cart}, who.lines
        who.cart, who.lines = "", {}
        return self._buy(who, wish, lines)

    def _order_again(self, who: Shopper) -> Told:
        """Return the same key once more: the same answer, and no second order."""
        if who.last_order is None:
            return self._order(who)
        return self._place(who, *who.last_order)

    def _buy(self, who: Shopper, wish: Mapping[str, Any], lines: dict[str, int]) -> Told:
        key = str(uuid.uuid4())
        body = {
            "email": f"{key[:8]}@example.com",
            "shipping_address": ADDRESS,
            "shipping_method": "standard",
            "payment": {"method": "card", "token": "tok_ok"},
            **wish,
        }
        told = self._place(who, key, body, lines)
        who.last_order = (key, body, lines)
        return told

    def _place(self, who: Shopper, key: str, body: dict[str, Any], lines: dict[str, int]) -> Told:
        answer = who.ask("POST", "/api/checkout/orders", body, Idempotency_Key=key)
        told = json.loads(answer[1]) if answer[1].startswith(b"{") else {}
        self._record({"what": "order", "key": key, "lines": lines, "status": answer[0], "body": told})
        return self._expect("POST /api/checkout/orders", (201,), answer)
