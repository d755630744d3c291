"""A shopper whose browser has no JavaScript: pages, forms, cookies; and the same person at the API."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import urllib3

from tests.client import Answer, Client
from tests.swarm.stack import Stack

WORD = "a long enough sentence"


class Browser:
    """Follows no redirects; keeps cookies."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._cookies: dict[str, str] = {}
        self._pool = urllib3.PoolManager(timeout=30.0, retries=False)

    def get(self, path: str) -> Answer:
        return self._ask("GET", path, None, {})

    def post(self, path: str, **fields: str) -> Answer:
        """Return a form of our own page."""
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": self._url}
        return self._ask("POST", path, urlencode(fields).encode(), headers)

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        sent = {"Accept": "text/html", **headers, **({"Cookie": cookies} if cookies else {})}
        answer = self._pool.request(method, self._url + path, body=body, headers=sent, redirect=False)
        for line in answer.headers.getlist("Set-Cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self._cookies[name.strip()] = value
        return Answer(answer.status, answer.headers, answer.data)


class Visitor:
    """Somebody with an account, an order and a filled cart, from before anything went wrong."""

    def __init__(self, stack: Stack, records: Path) -> None:
        self._records, self._goods = records, stack.goods
        self.guest, self.member, self.browser = stack.client(), stack.client(), Browser(stack.url)
        self.email = str(self.member.register()["user"]["email"])
        self.number = str(self.buy(self.member).json["number"])
        self.cart = self.guest.add(self._goods[0]["sku"])
        self.browser.post("/cart/add", sku=self._goods[0]["sku"], quantity="1")
        for path in ("/", self.product_page, f"/search?q={self.word}"):
            self.browser.get(path)

    @property
    def product(self) -> str:
        return f"/api/catalog/products/{self._goods[0]['slug']}"

    @property
    def product_page(self) -> str:
        return f"/p/{self._goods[0]['slug']}"

    @property
    def word(self) -> str:
        return str(self._goods[0]["title"].split()[-1].lower())

    # -- what works, one by one: each says what was wrong, or nothing

    def browses(self) -> str:
        answers = [self.guest.get(self.product), Client(self.guest.url).get(self.product_page)]
        answers.append(self.guest.get("/api/catalog/products?limit=5"))
        return _statuses(answers)

    def searches(self) -> str:
        found = self.guest.get(f"/api/catalog/products?q={self.word}")
        page = Client(self.guest.url).get(f"/search?q={self.word}")
        return _statuses([found, page]) or ("" if found.json["results"] else "nothing found")

    def logs_in(self) -> str:
        body = {"email": self.email, "password": WORD}
        return _statuses([self.guest.post("/api/auth/token", body)])

    def fills_a_cart(self) -> str:
        sku = self._goods[1]["sku"]
        answer = self.guest.post("/api/cart/lines", {"sku": sku, "quantity": 1})
        return _statuses([answer], (200, 201))

    def orders(self) -> str:
        return _statuses([self.buy(Client(self.guest.url))], (201,))

    def sees_old_orders(self) -> str:
        answer = self.member.get("/api/checkout/orders")
        if answer.status != 200:
            return _statuses([answer])
        return "" if self.number in [one["number"] for one in answer.json["results"]] else "my order is gone"

    def buy(self, who: Client) -> Answer:
        """Return an order of one thing; its answer goes to the auditor."""
        sku, key = self._goods[2]["sku"], str(uuid.uuid4())
        answer = who.order(lines=[{"sku": sku, "quantity": 1}], key=key)
        body: Any = answer.json if answer.body.startswith(b"{") else {}
        record = {"what": "order", "key": key, "lines": {sku: 1}, "status": answer.status, "body": body}
        with self._records.open("a") as file:
            file.write(json.dumps(record) + "\n")
        return answer


def _statuses(answers: list[Answer], wanted: tuple[int, ...] = (200,)) -> str:
    wrong = [f"{answer.status} {answer.body[:200]!r}" for answer in answers if answer.status not in wanted]
    return "; ".join(wrong)
