"""Catalogue and carts, as seen from here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

from chassis.siblings import Answer, Refused, Sibling, SiblingDown

from .domain import Money
from .services.ports import Away, Cart, Correction, Fate, Refusal, Sku, StockBook, Truth

_PER_CALL = 60  # SKUs of 64 characters: an address well under 8 KB, nginx's limit
_LOOK_AFTER = (
    900  # seconds; says when a reservation ought to have been looked at, it is never freed by the clock
)
_SLOW = 60.0  # seconds: many documents in one call
# seconds: on a busy machine a buyer rather waits than is turned away, and the gateway waits for 30
_LOOKING, _ORDERING = 4.0, 8.0
_COULD_BE_SKU = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z")


class SiblingCatalog:
    """``Catalog`` over catalog_svc."""

    def __init__(self, catalog: Sibling) -> None:
        self._catalog = catalog

    def skus(self, skus: Sequence[str]) -> dict[str, Sku]:
        asked = [sku for sku in skus if _COULD_BE_SKU.match(sku)]
        found: dict[str, Sku] = {}
        for start in range(0, len(asked), _PER_CALL):
            params = {"sku": ",".join(asked[start : start + _PER_CALL])}
            answer = _ask(partial(self._catalog.get, "/internal/skus", params, timeout=_LOOKING))
            rows = answer.json["results"] if isinstance(answer.json, dict) else answer.json
            found.update((row["sku"], _sku(row)) for row in rows)
        return found

    def reserve(self, order_id: str, lines: Mapping[str, int]) -> None:
        body = {"order_id": order_id, "lines": _lines(lines), "ttl": _LOOK_AFTER}
        try:
            _ask(lambda: self._catalog.post("/internal/reservations", body, safe=True, timeout=_ORDERING))
        except Refused as no:
            raise _reserve_refused(no) from no

    def commit(self, order_id: str, lines: Mapping[str, int]) -> None:
        self._end(order_id, "commit", lines)

    def release(self, order_id: str, lines: Mapping[str, int], *, sold: bool = False) -> None:
        self._end(order_id, "release", lines, **({"sold": True} if sold else {}))

    def correct(self, truths: Sequence[Truth]) -> list[Correction]:
        body = {"orders": [_truth(each) for each in truths]}
        path = "/internal/reservations/correct"
        try:
            answer = _ask(lambda: self._catalog.post(path, body, safe=True, timeout=_SLOW))
        except Refused as no:
            raise Away(f"The catalogue refused to correct: {no}") from no
        return [Correction(row["order_id"], row["sku"], row["outcome"]) for row in answer.json["results"]]

    def books(self) -> Iterator[StockBook]:
        params: dict[str, Any] = {"limit": 100}
        while True:
            asked = partial(self._catalog.get, "/internal/reservations", params, timeout=_SLOW)
            page = _ask(asked).json
            for row in page["results"]:
                holds = {each["order_id"]: (Fate(each["how"]), each["quantity"]) for each in row["orders"]}
                yield StockBook(row["sku"], row["available"], holds)
            if page["next"] is None:
                return
            params = {"limit": 100, "cursor": page["next"]}

    def _end(self, order_id: str, how: str, lines: Mapping[str, int], **more: Any) -> None:
        path = f"/internal/reservations/{quote(order_id)}/{how}"
        body = {"lines": _lines(lines), **more}
        try:
            _ask(lambda: self._catalog.post(path, body, safe=True, timeout=_ORDERING))
        except Refused as no:
            raise Refusal(409, no.type or f"{how}-refused", f"The catalogue refused to {how}: {no}") from no


class SiblingCarts:
    """``Carts`` over cart_svc."""

    def __init__(self, carts: Sibling) -> None:
        self._carts = carts

    def get(self, cart_id: str) -> Cart | None:
        try:
            row = _ask(lambda: self._carts.get(f"/internal/carts/{quote(cart_id)}", timeout=_LOOKING)).json
        except Refused as no:
            if no.status == 404:
                return None
            raise Away(str(no)) from no
        lines = {line["sku"]: line["quantity"] for line in row["lines"]}
        return Cart(row["id"], row["version"], row["account_id"], lines)

    def claim(self, cart_id: str, order_id: str, version: int) -> None:
        try:
            self._post(cart_id, "claim", {"order_id": order_id, "version": version})
        except Refused as no:
            if no.type == "cart-changed":
                raise Refusal(409, "cart-changed", "The cart has changed since it was priced.") from no
            raise Refusal(409, "cart-claimed", "Another order of this cart is being placed.") from no

    def unclaim(self, cart_id: str, order_id: str) -> None:
        self._post_quietly(cart_id, "unclaim", {"order_id": order_id})

    def settle(self, cart_id: str, order_id: str, lines: Mapping[str, int]) -> None:
        self._post_quietly(cart_id, "settle", {"order_id": order_id, "lines": _lines(lines)})

    def _post_quietly(self, cart_id: str, what: str, body: dict[str, Any]) -> None:
        """A cart that is gone has nothing to let go of."""
        try:
            self._post(cart_id, what, body)
        except Refused as no:
            if no.status != 404:
                raise Away(str(no)) from no

    def _post(self, cart_id: str, what: str, body: dict[str, Any]) -> None:
        path = f"/internal/carts/{quote(cart_id)}/{what}"
        _ask(lambda: self._carts.post(path, body, safe=True, timeout=_LOOKING))


def _ask(call: Callable[[], Answer]) -> Answer:
    try:
        return call()
    except SiblingDown as error:
        raise Away(str(error)) from error


def _reserve_refused(no: Refused) -> Exception:
    if no.type == "out-of-stock":
        return Refusal(
            409, "out-of-stock", "Some of it is not in stock any more.", short=no.problem.get("short", [])
        )
    if no.type == "unknown-sku":
        return Refusal(422, "unknown-sku", "Some of it is not for sale.")
    return Away(str(no))  # released before, not allowed …: nothing that the buyer did


def _lines(lines: Mapping[str, int]) -> list[dict[str, Any]]:
    return [{"sku": sku, "quantity": quantity} for sku, quantity in sorted(lines.items())]


def _truth(truth: Truth) -> dict[str, Any]:
    return {
        "order_id": truth.hold_id,
        "how": truth.fate.value,
        "since": truth.since.isoformat(),
        "sold_at": truth.sold_at.isoformat() if truth.sold_at else None,
        "lines": _lines(truth.lines),
    }


def _sku(row: Mapping[str, Any]) -> Sku:
    return Sku(
        sku=row["sku"],
        price=Money(row["price"]["amount"], row["price"]["currency"]),
        product_id=row["product_id"],
        title=row["title"],
        slug=row["slug"],
        image=row.get("image"),
        tax_class=row.get("tax_class") or "standard",
        attributes=dict(row.get("attributes") or {}),
    )
