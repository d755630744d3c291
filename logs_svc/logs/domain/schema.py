"""What each type of event may say in `data`: names, kinds and sizes. Everything else is refused.

A table, so that a page which wants to tell more adds one line here. `docs/behaviour.md` shows it to people.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any], str]  # what is wrong, "" for nothing

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}\Z")
_CURRENCY = re.compile(r"[A-Z]{3}\Z")


class BadData(Exception):
    """`data` is not what this type of event says; the text names the part."""


def words(most: int) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, str):
            return "not a text"
        return f"more than {most} characters" if len(value) > most else ""

    return check


def whole(most: int) -> Check:
    def check(value: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, int):
            return "not a whole number"
        return "" if 0 <= value <= most else f"not from 0 to {most}"

    return check


def number(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "not a number"
    return "" if abs(value) <= 1e12 else "too large"


def yes_or_no(value: Any) -> str:
    return "" if isinstance(value, bool) else "not true or false"


def price(value: Any) -> str:
    """Minor units, or Money as everywhere in the API."""
    if not isinstance(value, dict):
        return whole(10**12)(value)
    if value.keys() != {"amount", "currency"}:
        return "not {amount, currency}"
    currency = value["currency"]
    if not isinstance(currency, str) or not _CURRENCY.match(currency):
        return "its currency is not three capital letters"
    return whole(10**12)(value["amount"])


def list_of(check: Check, most: int) -> Check:
    def check_all(value: Any) -> str:
        if not isinstance(value, list):
            return "not a list"
        if len(value) > most:
            return f"more than {most} of them"
        return next((wrong for wrong in map(check, value) if wrong), "")

    return check_all


def choices(value: Any) -> str:
    """Filters of a list: `{"brand": "Fable"}` or `{"brand": ["Fable", "Nordic"]}`."""
    if not isinstance(value, dict):
        return "not an object"
    if len(value) > 20 or not all(_KEY.match(name) for name in value):
        return "more than 20 names, or one that is not a plain word"
    one = words(100)
    for chosen in value.values():
        several = chosen if isinstance(chosen, list) else [chosen]
        if len(several) > 20 or any(
            not isinstance(each, (bool, int, float)) and one(each) for each in several
        ):
            return "a choice is not a short text"
    return ""


SHORT, TEXT, LONG, PLACE = words(64), words(200), words(500), whole(100_000)

#: What any event may say: where on which page, which recommendation it was, of which experiment.
COMMON: dict[str, Check] = {
    **dict.fromkeys(("page", "path", "url", "referrer", "title"), LONG),
    **dict.fromkeys(("shelf", "widget", "list", "list_id", "source", "medium", "campaign", "kind"), TEXT),
    **dict.fromkeys(
        ("slot", "anchor", "seed", "for", "from", "because", "request_id", "impression_id"), SHORT
    ),
    **dict.fromkeys(("model", "algorithm", "experiment", "arm", "variant", "group", "bucket"), SHORT),
    **dict.fromkeys(("position", "rank", "index", "row", "column", "duration", "scroll"), PLACE),
    **dict.fromkeys(("sku", "language", "locale", "device", "screen"), SHORT),
    **dict.fromkeys(("category", "brand", "reason", "q", "query"), TEXT),
    "demo": yes_or_no,
    "score": number,
    "price": price,
    "products": list_of(SHORT, 100),
}
_LINE: dict[str, Check] = {"quantity": whole(1000), "line_total": price, "cart": SHORT}
_SEARCH: dict[str, Check] = {
    **dict.fromkeys(("results", "count", "total"), whole(100_000_000)),
    "sort": SHORT,
    "filters": choices,
    "did_you_mean": TEXT,
    "suggestion": TEXT,
}
_CHECKOUT: dict[str, Check] = {
    **dict.fromkeys(("lines", "count", "quantity"), whole(10_000)),
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


def checked(type: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """`data` without what is null. BadData for a name that this type does not have, or a value that is not
    its kind.
    """
    allowed, kept = BY_TYPE[type], {}
    for name, value in data.items():
        check = allowed.get(name)
        if check is None:
            if not _KEY.match(name) or name in ("constructor", "prototype"):
                raise BadData("data: a name of it is not a plain word")
            raise BadData(f"data: a {type} has no {name}")
        if value is None:
            continue
        wrong = check(value)
        if wrong:
            raise BadData(f"data: {name} is {wrong}")
        kept[name] = value
    return kept
