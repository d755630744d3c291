"""Clients of the six services: one small class each, a method per call of docs/api.md.

Each method returns the parsed JSON. It raises `ServiceUnavailable` if the service is unavailable and
`Refused(status, problem)` if it refuses the request. Identity is always an argument (`Caller`): nothing
here remembers it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote, urlencode

from chassis.clients import Answer, ServiceClient

Json = dict[str, Any]

#: Timeout of a shelf in seconds: the page is worth more than the shelf.
SHELF_DEADLINE = 0.6
#: A change of the cart may wait for a lock, for the store and for current prices.
CHANGE_DEADLINE = 4.0
#: An order may wait for a duplicate request (5 s) and for a slow bank.
ORDER_DEADLINE = 25.0


@dataclass(frozen=True, slots=True)
class Caller:
    """Identity that is passed on to a service.

    `session_id` is set only with the shopper's consent.
    """

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
    """Return the text as one path segment: a slug, SKU or order number cannot become another path."""
    return quote(text, safe="")


class Catalog:
    def __init__(self, sibling: ServiceClient) -> None:
        self._sibling = sibling

    def products(self, params: Sequence[tuple[str, str]], *, timeout: float = 3.0) -> Json:
        # Pairs, because a facet may be chosen twice: brand=a&brand=b.
        return cast(Json, self._sibling.get("/products?" + urlencode(params), timeout=timeout).json)

    def cards(self, ids: Sequence[str]) -> list[Json]:
        """Return cards in the order of `ids`, without those that are no longer sold."""
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
    def __init__(self, sibling: ServiceClient) -> None:
        self._sibling = sibling

    def get(self, caller: Caller, *, timeout: float = 3.0) -> Json:
        return cast(
            Json,
            self._sibling.get("", user_token=caller.token, headers=caller.headers(), timeout=timeout).json,
        )

    def add(self, caller: Caller, sku: str, quantity: int, key: str) -> Json:
        """Add a line and return the cart; the idempotency key makes it safe to repeat."""
        body = {"sku": sku, "quantity": quantity}
        return self._post(caller, "/lines", body, key)

    def change(self, caller: Caller, sku: str, quantity: int) -> Json:
        answer = self._sibling.patch(
            f"/lines/{segment(sku)}",
            {"quantity": quantity},
            user_token=caller.token,
            headers=caller.headers(),
            timeout=CHANGE_DEADLINE,
        )
        return cast(Json, answer.json)

    def remove(self, caller: Caller, sku: str) -> Json:
        answer = self._sibling.delete(
            f"/lines/{segment(sku)}",
            user_token=caller.token,
            headers=caller.headers(),
            timeout=CHANGE_DEADLINE,
        )
        return cast(Json, answer.json)

    def save(self, caller: Caller, sku: str) -> Json:
        return self._post(caller, f"/lines/{segment(sku)}/save", {})

    def restore(self, caller: Caller, sku: str) -> Json:
        return self._post(caller, f"/saved/{segment(sku)}/restore", {})

    def coupon(self, caller: Caller, code: str) -> Json:
        return self._post(caller, "/coupon", {"code": code})

    def drop_coupon(self, caller: Caller) -> Json:
        answer = self._sibling.delete("/coupon", user_token=caller.token, headers=caller.headers())
        return cast(Json, answer.json)

    def merge(self, caller: Caller, guest_cart: str) -> Json:
        return self._post(caller, "/merge", {"cart_id": guest_cart}, safe=True)

    def _post(
        self, caller: Caller, path: str, body: Json, key: str | None = None, *, safe: bool = False
    ) -> Json:
        answer = self._sibling.post(
            path,
            body,
            idempotency_key=key,
            safe=safe or key is not None,
            user_token=caller.token,
            headers=caller.headers(),
        )
        return cast(Json, answer.json)


class Checkout:
    def __init__(self, sibling: ServiceClient) -> None:
        self._sibling = sibling

    def methods(self, caller: Caller, country: str) -> list[Json]:
        answer = self._sibling.get("/shipping-methods", {"country": country}, headers=caller.headers())
        return list(answer.json["results"])

    def payment_methods(self, caller: Caller) -> list[str]:
        """Return the codes of the payment methods; none if the shop has no payment provider."""
        answer = self._sibling.get("/payment-methods", headers=caller.headers())
        return [method["code"] for method in answer.json["results"]]

    def quote(self, caller: Caller, body: Json) -> Json:
        answer = self._sibling.post(
            "/quotes", body, safe=True, user_token=caller.token, headers=caller.headers(), timeout=5.0
        )
        return cast(Json, answer.json)

    def place(self, caller: Caller, body: Json, key: str) -> Answer:
        return self._sibling.post(
            "/orders",
            body,
            idempotency_key=key,
            user_token=caller.token,
            headers=caller.headers(),
            timeout=ORDER_DEADLINE,
        )

    def order(self, caller: Caller, number: str, token: str) -> Json:
        answer = self._sibling.get(
            f"/orders/{segment(number)}",
            user_token=caller.token,
            headers=_with_token(caller, token),
            timeout=5.0,
        )
        return cast(Json, answer.json)

    def orders(self, caller: Caller, cursor: str = "") -> Json:
        params = {"cursor": cursor} if cursor else {}
        return cast(
            Json, self._sibling.get("/orders", params, user_token=caller.token, headers=caller.headers()).json
        )

    def cancel(self, caller: Caller, number: str, token: str) -> Json:
        answer = self._sibling.post(
            f"/orders/{segment(number)}/cancel",
            {},
            user_token=caller.token,
            headers=_with_token(caller, token),
            timeout=10.0,
        )
        return cast(Json, answer.json)


def _with_token(caller: Caller, token: str) -> dict[str, str]:
    return caller.headers() | ({"X-Order-Token": token} if token else {})


class Auth:
    def __init__(self, sibling: ServiceClient) -> None:
        self._sibling = sibling

    def register(self, caller: Caller, *, email: str, password: str, name: str) -> Json:
        return self._post(caller, "/register", {"email": email, "password": password, "name": name})

    def token(self, caller: Caller, *, email: str, password: str, otp: str = "") -> Json:
        body = {"email": email, "password": password} | ({"otp": otp} if otp else {})
        return self._post(caller, "/token", body)

    def refresh(self, caller: Caller, refresh: str) -> Json:
        """Return a new pair of tokens.

        Repeating it is safe: within 10 s the old token gets the same successor.
        """
        answer = self._sibling.post(
            "/token/refresh", {"refresh": refresh}, safe=True, headers=caller.headers()
        )
        return cast(Json, answer.json)

    def revoke(self, caller: Caller, refresh: str) -> None:
        self._sibling.post("/token/revoke", {"refresh": refresh}, safe=True, headers=caller.headers())

    def me(self, caller: Caller) -> Json:
        return cast(Json, self._sibling.get("/me", user_token=caller.token, headers=caller.headers()).json)

    def rename(self, caller: Caller, name: str) -> Json:
        answer = self._sibling.patch("/me", {"name": name}, user_token=caller.token, headers=caller.headers())
        return cast(Json, answer.json)

    def addresses(self, caller: Caller) -> list[Json]:
        answer = self._sibling.get(
            "/me/addresses", user_token=caller.token, headers=caller.headers(), timeout=1.0
        ).json
        return list(answer["results"] if isinstance(answer, dict) else answer)

    def forgot(self, caller: Caller, email: str) -> None:
        self._sibling.post("/password/forgot", {"email": email}, headers=caller.headers(), timeout=5.0)

    def reset(self, caller: Caller, token: str, password: str) -> None:
        self._sibling.post(
            "/password/reset", {"token": token, "password": password}, headers=caller.headers(), timeout=5.0
        )

    def verify(self, caller: Caller, token: str) -> None:
        self._sibling.post("/email/verify", {"token": token}, headers=caller.headers())

    def _post(self, caller: Caller, path: str, body: Json) -> Json:
        return cast(Json, self._sibling.post(path, body, headers=caller.headers(), timeout=8.0).json)


class Logs:
    def __init__(self, sibling: ServiceClient) -> None:
        self._sibling = sibling

    def send(self, caller: Caller, events: Sequence[Json], *, agent: str, consented: bool) -> Json:
        headers = caller.headers() | {"User-Agent": agent, "X-Consent": "yes" if consented else "no"}
        answer = self._sibling.post(
            "/events", list(events), user_token=caller.token, headers=headers, timeout=SHELF_DEADLINE
        )
        return cast(Json, answer.json)


@dataclass(frozen=True, slots=True)
class Recommendation:
    """Id of a recommended product, the reason in a shopper's words, and its cause.

    `kind` is reco's word for the cause; `cause_id` and `cause_title` name the product that it is about, empty
    where it is about none.
    """

    id: str
    reason: str
    kind: str = ""
    cause_id: str = ""
    cause_title: str = ""

    @classmethod
    def of(cls, row: Json) -> Recommendation:
        """Return the recommendation of a row of reco's lists; one of the version before has no cause."""
        because = row.get("because", {})
        cause = (because.get(name, "") for name in ("kind", "product_id", "title"))
        return cls(row["product_id"], row["reason"], *cause)


class Reco:
    def __init__(self, sibling: ServiceClient) -> None:
        self._sibling = sibling

    def similar(self, product_id: str, limit: int) -> list[Recommendation]:
        return self._list(f"/similar/{segment(product_id)}", {"limit": limit}, Caller())

    def trending(self, limit: int, category: str = "") -> list[Recommendation]:
        return self._list(
            "/trending", {"limit": limit} | ({"category": category} if category else {}), Caller()
        )

    def for_you(self, caller: Caller, limit: int) -> list[Recommendation]:
        return self._list("/for-you", {"limit": limit}, caller)

    def together(self, ids: Sequence[str], limit: int) -> list[Recommendation]:
        return self._list("/together", {"ids": ",".join(ids), "limit": limit}, Caller())

    def forget(self, caller: Caller) -> None:
        """Delete the interactions behind the personal lists, of the account and this session."""
        self._sibling.delete("/for-you", user_token=caller.token, headers=caller.headers())

    def _list(self, path: str, params: dict[str, Any], caller: Caller) -> list[Recommendation]:
        answer = self._sibling.get(
            path, params, user_token=caller.token, headers=caller.headers(), timeout=SHELF_DEADLINE
        )
        return [Recommendation.of(row) for row in answer.json["results"]]
