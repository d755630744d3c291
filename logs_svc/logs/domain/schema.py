"""The names, kinds and sizes that each type of event allows in `data`.

It is a table, so that one more name is one more line. `docs/behaviour.md` shows it to readers. Everything
else is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any], str]  # returns the problem, "" for none

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}\Z")
_CURRENCY = re.compile(r"[A-Z]{3}\Z")


class InvalidData(Exception):
    """`data` does not match its type of event; the text names the part."""


def text_up_to(most: int) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, str):
            return "not a text"
        return f"more than {most} characters" if len(value) > most else ""

    return check


def integer_up_to(most: int) -> Check:
    def check(value: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, int):
            return "not a whole number"
        return "" if 0 <= value <= most else f"not from 0 to {most}"

    return check


def number(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "not a number"
    return "" if abs(value) <= 1e12 else "too large"


def boolean(value: Any) -> str:
    return "" if isinstance(value, bool) else "not true or false"


def price(value: Any) -> str:
    """Check minor units, or Money as everywhere in the API."""
    if not isinstance(value, dict):
        return integer_up_to(10**12)(value)
    if value.keys() != {"amount", "currency"}:
        return "not {amount, currency}"
    currency = value["currency"]
    if not isinstance(currency, str) or not _CURRENCY.match(currency):
        return "its currency is not three capital letters"
    return integer_up_to(10**12)(value["amount"])


def list_of(check: Check, most: int) -> Check:
    def check_all(value: Any) -> str:
        if not isinstance(value, list):
            return "not a list"
        if len(value) > most:
            return f"more than {most} of them"
        return next((wrong for wrong in map(check, value) if wrong), "")

    return check_all


def filters(value: Any) -> str:
    """Check the filters of a list: `{"brand": "Fable"}` or `{"brand": ["Fable", "Nordic"]}`."""
    if not isinstance(value, dict):
        return "not an object"
    if len(value) > 20 or not all(_KEY.match(name) for name in value):
        return "more than 20 names, or one that is not a plain word"
    one = text_up_to(100)
    for chosen in value.values():
        several = chosen if isinstance(chosen, list) else [chosen]
        if len(several) > 20 or any(
            not isinstance(each, (bool, int, float)) and one(each) for each in several
        ):
            return "a choice is not a short text"
    return ""


SHORT, TEXT, LONG, POSITION = text_up_to(64), text_up_to(200), text_up_to(500), integer_up_to(100_000)

#: Names that any event allows: the position on a page, the recommendation, the experiment.
COMMON: dict[str, Check] = {
    **dict.fromkeys(("page", "path", "url", "referrer", "title"), LONG),
    **dict.fromkeys(("shelf", "widget", "list", "list_id", "source", "medium", "campaign", "kind"), TEXT),
    **dict.fromkeys(
        ("slot", "anchor", "seed", "for", "from", "because", "request_id", "impression_id"), SHORT
    ),
    **dict.fromkeys(("model", "algorithm", "experiment", "arm", "variant", "group", "bucket"), SHORT),
    **dict.fromkeys(("position", "rank", "index", "row", "column", "duration", "scroll"), POSITION),
    **dict.fromkeys(("sku", "language", "locale", "device", "screen"), SHORT),
    **dict.fromkeys(("category", "brand", "reason", "q", "query"), TEXT),
    "demo": boolean,
    "score": number,
    "price": price,
    "products": list_of(SHORT, 100),
}
_LINE: dict[str, Check] = {"quantity": integer_up_to(1000), "line_total": price, "cart": SHORT}
_SEARCH: dict[str, Check] = {
    **dict.fromkeys(("results", "count", "total"), integer_up_to(100_000_000)),
    "sort": SHORT,
    "filters": filters,
    "did_you_mean": TEXT,
    "suggestion": TEXT,
}
_CHECKOUT: dict[str, Check] = {
    **dict.fromkeys(("lines", "count", "quantity"), integer_up_to(10_000)),
    **dict.fromkeys(("total", "subtotal"), price),
    "cart": SHORT,
    "coupon": SHORT,
    "step": SHORT,
    "country": SHORT,
}
BY_TYPE: dict[str, Mapping[str, Check]] = {
    "view": COMMON,
    "click": COMMON,
    "impression": COMMON,
    "search": COMMON | _SEARCH,
    "add_to_cart": COMMON | _LINE,
    "remove_from_cart": COMMON | _LINE,
    "checkout_started": COMMON | _CHECKOUT,
}


def validate_data(type: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return `data` without nulls; raises InvalidData for an unknown name or an invalid value."""
    allowed, kept = BY_TYPE[type], {}
    for name, value in data.items():
        check = allowed.get(name)
        if check is None:
            if not _KEY.match(name) or name in ("constructor", "prototype"):
                raise InvalidData("data: a name of it is not a plain word")
            raise InvalidData(f"data: a {type} has no {name}")
        if value is None:
            continue
        wrong = check(value)
        if wrong:
            raise InvalidData(f"data: {name} is {wrong}")
        kept[name] = value
    return kept
