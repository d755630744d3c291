"""Prices as people read and write them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

#: Decimals of currencies that do not have two (ISO 4217).
_EXPONENT = {"JPY": 0, "KRW": 0, "ISK": 0, "HUF": 2, "TND": 3, "KWD": 3}
_SYMBOL = {"EUR": "€", "GBP": "£", "USD": "$", "JPY": "¥"}
#: language: (thousands, decimals, symbol in front)
_STYLE = {
    "en": (",", ".", True),
    "nl": (".", ",", True),
    "de": (".", ",", False),
    "fr": ("\u202f", ",", False),
    "es": (".", ",", False),
    "it": (".", ",", False),
}


def format_money(value: Mapping[str, Any] | None, locale: str = "en-IE") -> str:
    """Return `€1,234.50` for `{"amount": 123450, "currency": "EUR"}`, an empty string for None."""
    if not value:
        return ""
    amount, currency = int(value["amount"]), str(value["currency"])
    thousands, point, leading = _STYLE.get(locale[:2], _STYLE["en"])
    places = _EXPONENT.get(currency, 2)
    whole, cents = divmod(abs(amount), 10**places)
    digits = f"{whole:,}".replace(",", thousands)
    if places:
        digits += f"{point}{cents:0{places}d}"
    symbol = _SYMBOL.get(currency, f"{currency}\u00a0" if leading else currency)
    sign = "-" if amount < 0 else ""
    return f"{sign}{symbol}{digits}" if leading else f"{sign}{digits}\u00a0{symbol}"


def format_plain_amount(value: Mapping[str, Any]) -> str:
    """Return `1234.50`, for machines: schema.org wants a point and no symbol."""
    places = _EXPONENT.get(str(value["currency"]), 2)
    return f"{Decimal(int(value['amount'])).scaleb(-places):f}"


def parse_price(text: str) -> int | None:
    """Return a typed price in minor units: `12`, `12.5` or `12,50`; None for anything else."""
    try:
        number = Decimal(text.strip().replace(",", ".").lstrip("€"))
    except InvalidOperation:
        return None
    if not number.is_finite() or number < 0 or number > 1_000_000:
        return None
    return int(number * 100)


def add_money(*values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sum, in the currency of the first."""
    return {"amount": sum(int(value["amount"]) for value in values), "currency": values[0]["currency"]}
