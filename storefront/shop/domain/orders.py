"""Presentation of orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from shop.domain.checkout import COUNTRIES, present_totals
from shop.domain.money import format_money
from shop.domain.products import present_picture

_STATUS = {"pending": "Being placed", "confirmed": "Confirmed", "cancelled": "Cancelled"}
_FULFILMENT = {
    "unfulfilled": "We are getting it ready",
    "partially_shipped": "Part of it is on its way",
    "shipped": "On its way",
    "delivered": "Delivered",
    "returned": "Returned",
}
_PAYMENT = {
    "pending": "Not paid yet",
    "processing": "The bank is still working on it",
    "requires_action": "Your bank wants a confirmation",
    "paid": "Paid",
    "refused": "Refused",
    "partially_refunded": "Partly refunded",
    "refunded": "Refunded",
}
_EVENTS = {
    "placed": "Order placed",
    "created": "Order placed",
    "confirmed": "Order confirmed",
    "paid": "Payment received",
    "payment_refused": "Payment refused",
    "cancelled": "Order cancelled",
    "shipped": "Handed to the carrier",
    "delivered": "Delivered",
    "refunded": "Money sent back",
}
_CANCELLABLE = {"pending", "confirmed"}


def order_url(number: str, token: str = "", **more: str) -> str:
    query = {**({"token": token} if token else {}), **more}
    return f"/orders/{quote(number, safe='')}" + (f"?{urlencode(query)}" if query else "")


def present_order(raw: Mapping[str, Any], *, locale: str, token: str = "") -> dict[str, Any]:
    payment = raw.get("payment") or {}
    fulfilment = raw.get("fulfilment") or {}
    status = raw.get("status") or "pending"
    return {
        "number": raw["number"],
        "url": order_url(raw["number"], token),
        "status": status,
        "status_label": _STATUS.get(status, status.capitalize()),
        "placed_at": format_day(raw.get("placed_at")),
        "email": raw.get("email") or "",
        "lines": [_line(line, locale) for line in raw.get("lines") or []],
        "totals": present_totals(raw.get("totals") or {}, locale),
        "refunded": _refunded(raw.get("refunds") or [], locale),
        "payment_status": payment.get("status") or "",
        "payment_label": _PAYMENT.get(payment.get("status") or "", ""),
        "last4": payment.get("last4") or "",
        "action_url": action_url(payment.get("next_action")),
        "fulfilment_label": _FULFILMENT.get(fulfilment.get("status") or "", "")
        if status == "confirmed" and (payment.get("status") != "refunded" or fulfilment.get("shipments"))
        else "",
        "shipments": [_shipment(s) for s in fulfilment.get("shipments") or []],
        "address": _address(raw.get("shipping_address")),
        "timeline": [
            {"at": format_moment(e.get("at")), "what": event_label(e.get("what"))}
            for e in raw.get("timeline") or []
        ],
        "waiting": is_pending(raw),
        "can_cancel": status in _CANCELLABLE and (fulfilment.get("status") or "unfulfilled") == "unfulfilled",
    }


def is_pending(raw: Mapping[str, Any]) -> bool:
    """Return True if the order may change within seconds, so that its page polls."""
    return raw.get("status") == "pending"


def present_order_row(raw: Mapping[str, Any], locale: str) -> dict[str, Any]:
    """Return one row of "My orders"."""
    shown = present_order(raw, locale=locale)
    count = sum(int(line.get("quantity") or 0) for line in raw.get("lines") or [])
    return shown | {"count": count, "titles": ", ".join(line["title"] for line in shown["lines"][:3])}


def action_url(action: Any) -> str:
    """Return the bank's confirmation page, if the payment has one and it is a web address."""
    if isinstance(action, Mapping):
        action = action.get("url") or action.get("redirect_url") or ""
    text = str(action or "")
    return (
        text
        if text.startswith(("https://", "http://")) or (text.startswith("/") and text[1:2] != "/")
        else ""
    )


def event_label(what: Any) -> str:
    text = str(what or "")
    return _EVENTS.get(text, text.replace("_", " ").capitalize())


def _line(raw: Mapping[str, Any], locale: str) -> dict[str, Any]:
    attributes = raw.get("attributes") or {}
    return {
        "title": raw.get("title") or raw.get("sku") or "",
        "url": f"/p/{quote(raw['slug'], safe='')}" if raw.get("slug") else "",
        "picture": present_picture(raw.get("image"), raw.get("title") or ""),
        "attributes": ", ".join(f"{str(k).capitalize()}: {v}" for k, v in attributes.items()),
        "quantity": raw.get("quantity") or 1,
        "unit_price": format_money(raw.get("unit_price"), locale),
        "line_total": format_money(raw.get("line_total"), locale),
    }


def _refunded(raw: Sequence[Mapping[str, Any]], locale: str) -> str:
    """Return the sum of all refunds; an empty string if there are none."""
    amounts = [refund["amount"] for refund in raw]
    if not amounts:
        return ""
    return format_money({**amounts[0], "amount": sum(one["amount"] for one in amounts)}, locale)


def _shipment(raw: Mapping[str, Any]) -> dict[str, str]:
    return {"carrier": str(raw.get("carrier") or ""), "tracking": str(raw.get("tracking") or "")}


def _address(raw: Any) -> list[str]:
    if not isinstance(raw, Mapping):
        return []
    town = f"{raw.get('postal_code') or ''} {raw.get('city') or ''}".strip()
    parts = [raw.get("name"), raw.get("line1"), raw.get("line2"), town, raw.get("region")]
    parts.append(dict(COUNTRIES).get(str(raw.get("country")), raw.get("country")))
    return [str(part) for part in parts if part]


def _parse(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text).replace("Z", "+00:00")).astimezone(UTC)
    except ValueError:
        return None


def format_day(text: Any) -> str:
    """Return `22 November 2026`."""
    at = _parse(text)
    return f"{at.day} {at:%B %Y}" if at else ""


def format_moment(text: Any) -> str:
    """Return `22 Nov, 16:05`, in UTC: the shop does not know the shopper's time zone."""
    at = _parse(text)
    return f"{at.day} {at:%b, %H:%M}" if at else ""
