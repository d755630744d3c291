"""Who is there while bad input comes in, and what has to hold for each answer."""

from __future__ import annotations

import base64
import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tests.client import ADDRESS, Answer, Client, Staff
from tests.e2e.bad.rotten import Forger

MEMBERS = {"type": str, "title": str, "status": int, "detail": str, "request_id": str}
LEAKS = (b"Traceback", b'File "', b"site-packages", b"couchdb", b".py")


@dataclass
class Scene:
    """A thing to buy; a buyer with an address, a cart and an order; a guest with an order; a stranger."""

    staff: Staff
    buyer: Client
    stranger: Client
    nobody: Client
    names: dict[str, str]
    forger: Forger
    before: dict[str, Any] = field(default_factory=dict)

    def fill(self, value: Any) -> Any:
        """Return `value` with the names that the scene knows put in: `<sku>`, `<order>` and so on."""
        text = json.dumps(value)
        for name, known in self.names.items():
            text = text.replace(f"<{name}>", known)
        return json.loads(text)

    def send(self, who: str, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        client: Client = getattr(self, who)
        return client.call(method, self.fill(path), body, **headers)

    def state(self) -> dict[str, Any]:
        """All that bad input must leave as it is."""
        orders = f"/api/checkout/orders?email={self.names['email']}"
        looks = {
            "stock": lambda: self.staff.on_hand(self.names["sku"]),
            "product": lambda: self.staff.get(f"/api/catalog/products/{self.names['slug']}").json,
            "reviews": lambda: self.staff.get(f"/api/catalog/products/{self.names['slug']}/reviews").json,
            "cart": lambda: self.buyer.get("/api/cart").json,
            "me": lambda: self.buyer.get("/api/auth/me").json,
            "addresses": lambda: self.buyer.get("/api/auth/me/addresses").json,
            "mine": lambda: self.buyer.get("/api/checkout/orders").json,
            "all": lambda: self.staff.get(orders).json,
        }
        with ThreadPoolExecutor(4) as pool:
            return dict(zip(looks, pool.map(lambda look: look(), looks.values()), strict=True))


def set_up(shop: Any) -> Scene:
    """Return a new scene in a running shop."""
    staff, buyer, stranger, nobody = shop.staff(), Client(shop.url), Client(shop.url), Client(shop.url)
    slug, sku = staff.product(on_hand=50)
    account, email = buyer.register(), f"bad-{uuid.uuid4().hex[:12]}@example.com"
    stranger.register()
    kid = json.loads(base64.urlsafe_b64decode(account["access"].split(".")[0] + "=="))["kid"]
    guest = nobody.order(lines=[{"sku": sku, "quantity": 1}], email=email).json
    names = {
        "slug": slug,
        "sku": sku,
        "email": email,
        "account": account["user"]["id"],
        "cart": buyer.add(sku)["id"],
        "address": buyer.post("/api/auth/me/addresses", ADDRESS).json["id"],
        "order": buyer.order(lines=[{"sku": sku, "quantity": 1}], email=email).json["number"],
        "guest-order": guest["number"],
        "guest-token": guest["access_token"],
    }
    forger = Forger(shop.secrets, kid, names["account"])
    scene = Scene(staff, buyer, stranger, nobody, names, forger)
    scene.before = scene.state()
    return scene


def flaws(answer: Answer, *statuses: int, type: str | None = None, about: str | None = None) -> list[str]:
    """Return the flaws of a refusal; `about` is the field that `errors` has to name, "" for any."""
    if answer.status not in statuses:
        return [f"{answer.status} instead of {statuses}: {answer.body[:300]!r}"]
    if answer.headers.get("Content-Type", "").partition(";")[0] != "application/problem+json":
        return [f"{answer.status} as {answer.headers.get('Content-Type')}: {answer.body[:100]!r}"]
    body, found = answer.json, [f"tells {leak!r}" for leak in LEAKS if leak in answer.body]
    found += [
        f"{name}: {body.get(name)!r}" for name, kind in MEMBERS.items() if not _is(body.get(name), kind)
    ]
    if (body["status"], body["request_id"]) != (answer.status, answer.headers["X-Request-ID"]):
        found.append(f"status or request_id are another's: {body}")
    if type and body["type"] != type:
        found.append(f"type {body['type']} instead of {type}")
    if about is not None and not any(_within(about, name) for name in body.get("errors", {})):
        found.append(f"no word of {about}: {body}")
    return found


def _is(value: Any, kind: type) -> bool:
    return type(value) is kind and value != ""


def _within(about: str, name: str) -> bool:
    return not about or f"{name}.".startswith(f"{about}.") or f"{about}.".startswith(f"{name}.")


def wrong(answers: dict[Any, Answer], *statuses: int, **expected: Any) -> dict[Any, list[str]]:
    """Those answers that are not such a refusal, and why."""
    return {
        what: found for what, answer in answers.items() if (found := flaws(answer, *statuses, **expected))
    }
