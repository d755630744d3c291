"""The six services, as the pages see them: one small class each, a method per call of `api.md`.

Each method answers the parsed JSON. It raises `SiblingDown` when the service cannot be asked and
`Refused(status,
problem)` when it says no. Identity is always an argument (`Caller`): nothing here remembers who is asking.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote, urlencode

from chassis.siblings import Answer, Sibling

Json = dict[str, Any]

#: What a shelf may cost a page, in seconds: the page is worth more than the shelf.
SHELF_DEADLINE = 0.6
#: A change of the cart waits for its turn there, for the store and for the prices of now.
CHANGE_DEADLINE = 4.0
#: An order may wait for a twin of itself (5 s) and for a slow bank.
ORDER_DEADLINE = 25.0


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: what is passed on to a service and nothing more. `session_id` is set only with the
    shopper's consent."""

    token: str | None = None
    cart_id: str | None = None
    session_id: str | None = None
    forwarded_for: str = ""

    def headers(self) -> dict[str, str]:
        found = {"X-Forwarded-For": self.forwarded_for} if self.forwarded_for else {}
        if self.cart_id and not self.token:
            found["X-Cart-Id"] = self.cart_id
        if self.session_id:
            found["X-Session-Id"] = self.session_id
        return found


def segment(text: str) -> str:
    """One path segment: a slug, SKU or order number cannot become another path."""
    return quote(text, safe="")


class Catalog:
    def __init__(self, sibling: Sibling) -> None:
        self._sibling = sibling

    def products(self, params: Sequence[tuple[str, str]], *, timeout: float = 3.0) -> Json:
        # Pairs, because a facet may be chosen twice: brand=a&brand=b.
        return cast(Json, self._sibling.get("/products?" + urlencode(params), timeout=timeout).json)

    def cards(self, ids: Sequence[str]) -> list[Json]:
        """Cards in the order of `ids`, without those that are no longer sold."""
        if not ids:
            return []
        return list(self.products([("ids", ",".join(ids))], timeout=SHELF_DEADLINE)["results"])

    def product(self, slug: str) -> Json:
        return cast(Json, self._sibling.get(f"/products/{segment(slug)}").json)

    def categories(self) -> list[Json]:
        answer = self._sibling.get("/categories").json
        return list(answer["results"] if isinstance(answer, dict) else answer)

    def suggest(self, words: str) -> Json:
        return cast(Json, self._sibling.get("/suggest", {"q": words}, timeout=1.0).json)


class Cart:
    def __init__(self, sibling: Sibling) -> None:
        self._sibling = sibling

    def get(self, who: Caller, *, timeout: float = 3.0) -> Json:
        return cast(
            Json, self._sibling.get("", user_token=who.token, headers=who.headers(), timeout=timeout).json
        )

    def add(self, who: Caller, sku: str, quantity: int, key: str) -> Json:
        """The cart after it; safe to repeat, for the key makes the second of two the first."""
        body = {"sku": sku, "quantity": quantity}
        return self._post(who, "/lines", body, key)

    def change(self, who: Caller, sku: str, quantity: int) -> Json:
        answer = self._sibling.patch(
            f"/lines/{segment(sku)}",
            {"quantity": quantity},
            user_token=who.token,
            headers=who.headers(),
            timeout=CHANGE_DEADLINE,
        )
        return cast(Json, answer.json)

    def remove(self, who: Caller, sku: str) -> Json:
        answer = self._sibling.delete(
            f"/lines/{segment(sku)}",
            user_token=who.token,
            headers=who.headers(),
            timeout=CHANGE_DEADLINE,
        )
        return cast(Json, answer.json)

    def save(self, who: Caller, sku: str) -> Json:
        return self._post(who, f"/lines/{segment(sku)}/save", {})

    def restore(self, who: Caller, sku: str) -> Json:
        return self._post(who, f"/saved/{segment(sku)}/restore", {})

    def coupon(self, who: Caller, code: str) -> Json:
        return self._post(who, "/coupon", {"code": code})

    def drop_coupon(self, who: Caller) -> Json:
        answer = self._sibling.delete("/coupon", user_token=who.token, headers=who.headers())
        return cast(Json, answer.json)

    def merge(self, who: Caller, guest_cart: str) -> Json:
        return self._post(who, "/merge", {"cart_id": guest_cart}, safe=True)

    def _post(
        self, who: Caller, path: str, body: Json, key: str | None = None, *, safe: bool = False
    ) -> Json:
        answer = self._sibling.post(
            path,
            body,
            idempotency_key=key,
            safe=safe or key is not None,
            user_token=who.token,
            headers=who.headers(),
        )
        return cast(Json, answer.json)


class Checkout:
    def __init__(self, sibling: Sibling) -> None:
        self._sibling = sibling

    def methods(self, who: Caller, country: str) -> list[Json]:
        answer = self._sibling.get("/shipping-methods", {"country": country}, headers=who.headers())
        return list(answer.json["results"])

    def payment_methods(self, who: Caller) -> list[str]:
        """Codes of the ways to pay; none where the shop has no payment provider."""
        answer = self._sibling.get("/payment-methods", headers=who.headers())
        return [method["code"] for method in answer.json["results"]]

    def quote(self, who: Caller, body: Json) -> Json:
        answer = self._sibling.post(
            "/quotes", body, safe=True, user_token=who.token, headers=who.headers(), timeout=5.0
        )
        return cast(Json, answer.json)

    def place(self, who: Caller, body: Json, key: str) -> Answer:
        return self._sibling.post(
            "/orders",
            body,
            idempotency_key=key,
            user_token=who.token,
            headers=who.headers(),
            timeout=ORDER_DEADLINE,
        )

    def order(self, who: Caller, number: str, token: str) -> Json:
        answer = self._sibling.get(
            f"/orders/{segment(number)}", user_token=who.token, headers=_with_token(who, token), timeout=5.0
        )
        return cast(Json, answer.json)

    def orders(self, who: Caller, cursor: str = "") -> Json:
        params = {"cursor": cursor} if cursor else {}
        return cast(
            Json, self._sibling.get("/orders", params, user_token=who.token, headers=who.headers()).json
        )

    def cancel(self, who: Caller, number: str, token: str) -> Json:
        answer = self._sibling.post(
            f"/orders/{segment(number)}/cancel",
            {},
            user_token=who.token,
            headers=_with_token(who, token),
            timeout=10.0,
        )
        return cast(Json, answer.json)


def _with_token(who: Caller, token: str) -> dict[str, str]:
    return who.headers() | ({"X-Order-Token": token} if token else {})


class Auth:
    def __init__(self, sibling: Sibling) -> None:
        self._sibling = sibling

    def register(self, who: Caller, *, email: str, password: str, name: str) -> Json:
        return self._post(who, "/register", {"email": email, "password": password, "name": name})

    def token(self, who: Caller, *, email: str, password: str, otp: str = "") -> Json:
        body = {"email": email, "password": password} | ({"otp": otp} if otp else {})
        return self._post(who, "/token", body)

    def refresh(self, who: Caller, refresh: str) -> Json:
        """A new pair. Repeating it is safe: within 10 s the old token gets the same successor."""
        answer = self._sibling.post("/token/refresh", {"refresh": refresh}, safe=True, headers=who.headers())
        return cast(Json, answer.json)

    def revoke(self, who: Caller, refresh: str) -> None:
        self._sibling.post("/token/revoke", {"refresh": refresh}, safe=True, headers=who.headers())

    def me(self, who: Caller) -> Json:
        return cast(Json, self._sibling.get("/me", user_token=who.token, headers=who.headers()).json)

    def rename(self, who: Caller, name: str) -> Json:
        answer = self._sibling.patch("/me", {"name": name}, user_token=who.token, headers=who.headers())
        return cast(Json, answer.json)

    def addresses(self, who: Caller) -> list[Json]:
        answer = self._sibling.get(
            "/me/addresses", user_token=who.token, headers=who.headers(), timeout=1.0
        ).json
        return list(answer["results"] if isinstance(answer, dict) else answer)

    def forgot(self, who: Caller, email: str) -> None:
        self._sibling.post("/password/forgot", {"email": email}, headers=who.headers(), timeout=5.0)

    def reset(self, who: Caller, token: str, password: str) -> None:
        self._sibling.post(
            "/password/reset", {"token": token, "password": password}, headers=who.headers(), timeout=5.0
        )

    def verify(self, who: Caller, token: str) -> None:
        self._sibling.post("/email/verify", {"token": token}, headers=who.headers())

    def _post(self, who: Caller, path: str, body: Json) -> Json:
        return cast(Json, self._sibling.post(path, body, headers=who.headers(), timeout=8.0).json)


class Logs:
    def __init__(self, sibling: Sibling) -> None:
        self._sibling = sibling

    def send(self, who: Caller, events: Sequence[Json], *, agent: str, consented: bool) -> Json:
        headers = who.headers() | {"User-Agent": agent, "X-Consent": "yes" if consented else "no"}
        answer = self._sibling.post(
            "/events", list(events), user_token=who.token, headers=headers, timeout=SHELF_DEADLINE
        )
        return cast(Json, answer.json)


@dataclass(frozen=True, slots=True)
class Suggested:
    """A product's id, and why it is shown, in a shopper's words."""

    id: str
    why: str


class Reco:
    def __init__(self, sibling: Sibling) -> None:
        self._sibling = sibling

    def similar(self, product_id: str, limit: int) -> list[Suggested]:
        return self._list(f"/similar/{segment(product_id)}", {"limit": limit}, Caller())

    def trending(self, limit: int, category: str = "") -> list[Suggested]:
        return self._list(
            "/trending", {"limit": limit} | ({"category": category} if category else {}), Caller()
        )

    def for_you(self, who: Caller, limit: int) -> list[Suggested]:
        return self._list("/for-you", {"limit": limit}, who)

    def together(self, ids: Sequence[str], limit: int) -> list[Suggested]:
        return self._list("/together", {"ids": ",".join(ids), "limit": limit}, Caller())

    def forget(self, who: Caller) -> None:
        """What the personal lists are made of, of the account and this session."""
        self._sibling.delete("/for-you", user_token=who.token, headers=who.headers())

    def _list(self, path: str, params: dict[str, Any], who: Caller) -> list[Suggested]:
        answer = self._sibling.get(
            path, params, user_token=who.token, headers=who.headers(), timeout=SHELF_DEADLINE
        )
        return [Suggested(row["product_id"], row.get("reason") or "") for row in answer.json["results"]]
