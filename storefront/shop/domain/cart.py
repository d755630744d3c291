"""Presentation of the cart, for its page and the header's badge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shop.domain.money import format_money
from shop.domain.products import AVAILABILITY, present_picture, product_url

MAX_QUANTITY = 99
OLD_PRICES = "Prices may be a few minutes old"


def present_cart(raw: Mapping[str, Any], locale: str) -> dict[str, Any]:
    lines = [_line(line, locale) for line in raw.get("lines") or []]
    discount = raw.get("discount") or {}
    return {
        "id": raw.get("id"),
        "lines": lines,
        "saved": [_line(line, locale) for line in raw.get("saved") or []],
        "coupon": _coupon(raw.get("coupon")),
        "subtotal": format_money(raw.get("subtotal"), locale),
        "discount": format_money(discount, locale) if discount.get("amount") else "",
        "total": format_money(raw.get("total"), locale),
        "total_money": raw.get("total"),
        "count": raw.get("count") or 0,
        "old_prices": any(
            "old" in line["notice"].lower() or "last seen" in line["notice"].lower() for line in lines
        ),
        "blocked": [line["title"] for line in lines if line["availability"] == "out"],
    }


def _line(raw: Mapping[str, Any], locale: str) -> dict[str, Any]:
    availability = raw.get("availability") or "in_stock"
    count = int(raw.get("quantity") or 1)
    return {
        "sku": raw["sku"],
        "product_id": raw.get("product_id") or "",
        "title": raw.get("title") or raw["sku"],
        "url": product_url(raw["slug"]) if raw.get("slug") else "",
        "picture": present_picture(raw.get("image"), raw.get("title") or ""),
        "attributes": _attributes(raw.get("attributes")),
        "unit_price": format_money(raw.get("unit_price"), locale),
        "line_total": format_money(raw.get("line_total"), locale),
        "quantity": count,
        "less": count - 1,
        "more": min(count + 1, MAX_QUANTITY),
        "availability": availability,
        "availability_label": AVAILABILITY.get(availability, ""),
        "notice": _notice(raw.get("notice")),
    }


def _attributes(raw: Any) -> str:
    if isinstance(raw, Mapping):
        return ", ".join(f"{str(name).capitalize()}: {value}" for name, value in raw.items())
    return str(raw or "")


def _notice(raw: Any) -> str:
    """Return the notice as a sentence; the cart sends it as text or as `{code, message}`."""
    if isinstance(raw, Mapping):
        return str(raw.get("message") or raw.get("text") or raw.get("detail") or "")
    if isinstance(raw, list):
        return " ".join(filter(None, (_notice(part) for part in raw)))
    return str(raw or "")


def _coupon(raw: Any) -> str:
    return str(raw.get("code") or "") if isinstance(raw, Mapping) else str(raw or "")


def parse_quantity(text: str) -> int | None:
    """Return a quantity of a form, 0 to 99 (0 removes the line); None for anything else."""
    if not text.isascii() or not text.isdigit() or len(text) > 2:
        return None
    return int(text)
