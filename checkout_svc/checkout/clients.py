"""Service clients for the catalogue and the carts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

from chassis.clients import Answer, Refused, ServiceClient, ServiceUnavailable

from .domain import Money
from .services.ports import (
    Cart,
    Correction,
    DependencyUnavailable,
    ExpectedReservation,
    ReservationStatus,
    RuleViolation,
    Sku,
    StockSnapshot,
)

_PER_CALL = 60  # SKUs of 64 characters: an address well under 8 KB, nginx's limit
# Seconds after which the catalogue asks about a reservation; time alone never frees it.
_RESERVATION_TTL = 900
_BATCH_TIMEOUT = 60.0  # seconds: many documents in one call
# Seconds: a buyer rather waits on a busy machine than is refused; the gateway waits for 30.
_READ_TIMEOUT, _WRITE_TIMEOUT = 4.0, 8.0
_SKU_PATTERN = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z")


class CatalogClient:
    """``Catalog`` over the internal API of catalog_svc."""

    def __init__(self, catalog: ServiceClient) -> None:
        self._catalog = catalog

    def skus(self, skus: Sequence[str]) -> dict[str, Sku]:
        asked = [sku for sku in skus if _SKU_PATTERN.match(sku)]
        found: dict[str, Sku] = {}
        for start in range(0, len(asked), _PER_CALL):
            params = {"sku": ",".join(asked[start : start + _PER_CALL])}
            answer = _call(partial(self._catalog.get, "/internal/skus", params, timeout=_READ_TIMEOUT))
            rows = answer.json["results"] if isinstance(answer.json, dict) else answer.json
            found.update((row["sku"], _sku(row)) for row in rows)
        return found

    def reserve(self, order_id: str, lines: Mapping[str, int]) -> None:
        body = {"order_id": order_id, "lines": _lines(lines), "ttl": _RESERVATION_TTL}
        try:
            _call(
                lambda: self._catalog.post("/internal/reservations", body, safe=True, timeout=_WRITE_TIMEOUT)
            )
        except Refused as refused:
            raise _reserve_error(refused) from refused

    def commit(self, order_id: str, lines: Mapping[str, int]) -> None:
        self._finish_reservation(order_id, "commit", lines)

    def release(self, order_id: str, lines: Mapping[str, int], *, sold: bool = False) -> None:
        self._finish_reservation(order_id, "release", lines, **({"sold": True} if sold else {}))

    def correct(self, expected: Sequence[ExpectedReservation]) -> list[Correction]:
        body = {"orders": [_expected_reservation(each) for each in expected]}
        path = "/internal/reservations/correct"
        try:
            answer = _call(lambda: self._catalog.post(path, body, safe=True, timeout=_BATCH_TIMEOUT))
        except Refused as refused:
            raise DependencyUnavailable(f"The catalogue refused to correct: {refused}") from refused
        return [Correction(row["order_id"], row["sku"], row["outcome"]) for row in answer.json["results"]]

    def stock_snapshots(self) -> Iterator[StockSnapshot]:
        params: dict[str, Any] = {"limit": 100}
        while True:
            asked = partial(self._catalog.get, "/internal/reservations", params, timeout=_BATCH_TIMEOUT)
            page = _call(asked).json
            for row in page["results"]:
                holds = {
                    each["order_id"]: (ReservationStatus(each["how"]), each["quantity"])
                    for each in row["orders"]
                }
                yield StockSnapshot(row["sku"], row["available"], holds)
            if page["next"] is None:
                return
            params = {"limit": 100, "cursor": page["next"]}

    def _finish_reservation(self, order_id: str, how: str, lines: Mapping[str, int], **more: Any) -> None:
        path = f"/internal/reservations/{quote(order_id)}/{how}"
        body = {"lines": _lines(lines), **more}
        try:
            _call(lambda: self._catalog.post(path, body, safe=True, timeout=_WRITE_TIMEOUT))
        except Refused as refused:
            raise RuleViolation(
                409, refused.type or f"{how}-refused", f"The catalogue refused to {how}: {refused}"
            ) from refused


class CartClient:
    """``Carts`` over the internal API of cart_svc."""

    def __init__(self, carts: ServiceClient) -> None:
        self._carts = carts

    def get(self, cart_id: str) -> Cart | None:
        try:
            row = _call(
                lambda: self._carts.get(f"/internal/carts/{quote(cart_id)}", timeout=_READ_TIMEOUT)
            ).json
        except Refused as refused:
            if refused.status == 404:
                return None
            raise DependencyUnavailable(str(refused)) from refused
        lines = {line["sku"]: line["quantity"] for line in row["lines"]}
        return Cart(row["id"], row["version"], row["account_id"], lines)

    def claim(self, cart_id: str, order_id: str, version: int) -> None:
        try:
            self._post(cart_id, "claim", {"order_id": order_id, "version": version})
        except Refused as refused:
            if refused.type == "cart-changed":
                raise RuleViolation(
                    409, "cart-changed", "The cart has changed since it was priced."
                ) from refused
            raise RuleViolation(
                409, "cart-claimed", "Another order of this cart is being placed."
            ) from refused

    def unclaim(self, cart_id: str, order_id: str) -> None:
        self._post_unless_gone(cart_id, "unclaim", {"order_id": order_id})

    def remove_ordered(self, cart_id: str, order_id: str, lines: Mapping[str, int]) -> None:
        self._post_unless_gone(cart_id, "settle", {"order_id": order_id, "lines": _lines(lines)})

    def _post_unless_gone(self, cart_id: str, what: str, body: dict[str, Any]) -> None:
        """Post to the cart, and ignore a 404: a cart that does not exist holds nothing."""
        try:
            self._post(cart_id, what, body)
        except Refused as refused:
            if refused.status != 404:
                raise DependencyUnavailable(str(refused)) from refused

    def _post(self, cart_id: str, what: str, body: dict[str, Any]) -> None:
        path = f"/internal/carts/{quote(cart_id)}/{what}"
        _call(lambda: self._carts.post(path, body, safe=True, timeout=_READ_TIMEOUT))


def _call(call: Callable[[], Answer]) -> Answer:
    try:
        return call()
    except ServiceUnavailable as error:
        raise DependencyUnavailable(str(error)) from error


def _reserve_error(refused: Refused) -> Exception:
    if refused.type == "out-of-stock":
        return RuleViolation(
            409,
            "out-of-stock",
            "Some of it is not in stock any more.",
            short=refused.problem.get("short", []),
        )
    if refused.type == "unknown-sku":
        return RuleViolation(422, "unknown-sku", "Some of it is not for sale.")
    return DependencyUnavailable(str(refused))  # released before, not allowed …: not the buyer's fault


def _lines(lines: Mapping[str, int]) -> list[dict[str, Any]]:
    return [{"sku": sku, "quantity": quantity} for sku, quantity in sorted(lines.items())]


def _expected_reservation(reservation: ExpectedReservation) -> dict[str, Any]:
    return {
        "order_id": reservation.hold_id,
        "how": reservation.status.value,
        "since": reservation.since.isoformat(),
        "sold_at": reservation.sold_at.isoformat() if reservation.sold_at else None,
        "lines": _lines(reservation.lines),
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
