"""Presentation of the checkout page: request bodies, figures, and refusals in words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shop.domain.money import add_money, format_money
from shop.domain.outages import wait_sentence

#: Countries of delivery, by ISO 3166-1 alpha-2: the EU.
COUNTRIES = (
    ("AT", "Austria"), ("BE", "Belgium"), ("BG", "Bulgaria"), ("HR", "Croatia"), ("CY", "Cyprus"),
    ("CZ", "Czechia"), ("DK", "Denmark"), ("EE", "Estonia"), ("FI", "Finland"), ("FR", "France"),
    ("DE", "Germany"), ("GR", "Greece"), ("HU", "Hungary"), ("IE", "Ireland"), ("IT", "Italy"),
    ("LV", "Latvia"), ("LT", "Lithuania"), ("LU", "Luxembourg"), ("MT", "Malta"), ("NL", "Netherlands"),
    ("PL", "Poland"), ("PT", "Portugal"), ("RO", "Romania"), ("SK", "Slovakia"), ("SI", "Slovenia"),
    ("ES", "Spain"), ("SE", "Sweden"),
)  # fmt: skip

#: Cards of the built-in test provider: token, name, effect. The first is the default.
TEST_CARDS = (
    ("tok_ok", "Card that works", "The payment goes through."),
    ("tok_requires_action", "Card that asks to confirm", "The bank wants a confirmation first."),
    ("tok_declined", "Card that is declined", "The bank says no."),
    ("tok_insufficient_funds", "Card without enough money", "The bank says no, and why."),
    ("tok_timeout_then_ok", "Card that answers late", "The payment goes through after a wait."),
    ("tok_timeout_unknown", "Card whose answer gets lost", "We ask the bank again until we know."),
    ("tok_error", "Card that meets a broken bank", "The payment provider has a fault."),
)

ADDRESS_FIELDS = ("name", "line1", "line2", "postal_code", "city", "region", "country", "phone")
CHECKOUT_UNAVAILABLE = "Checkout is taking a break; your cart is safe"
TRY_LATER = "We cannot take this order just now"
EMPTY = (
    "There is nothing in your cart any more",
    "If you have ordered already, it is among your orders and in your mail.",
)


@dataclass(frozen=True, slots=True)
class OrderRejection:
    """Reason why an order was not accepted: a headline, a sentence, and messages for fields.

    `new_key` tells if the next attempt needs a new idempotency key: yes if the service has finally answered
    this one, no if it may still be in progress (the same key then finds the same order).
    """

    title: str
    text: str = ""
    fields: dict[str, list[str]] = field(default_factory=dict)
    new_key: bool = True
    status: int = 422
    retry_after: float | None = None


def rate_limited(retry_after: float | None) -> OrderRejection:
    """Return the rejection for a reached limit; nothing was stored, so the key is kept."""
    text = f"{wait_sentence(retry_after)} Nothing you typed is lost."
    return OrderRejection("That was a bit quick", text, new_key=False, status=429, retry_after=retry_after)


NO_PAYMENTS = OrderRejection(
    "This shop cannot take payments yet",
    "Nothing can be ordered for now. Your cart is safe, and nothing was charged.",
    new_key=False,
    status=503,
)


def address_fields(values: Mapping[str, str], prefix: str = "") -> dict[str, str]:
    """Return an address of docs/api.md from a form's values, without empty fields."""
    found = {name: (values.get(prefix + name) or "").strip() for name in ADDRESS_FIELDS}
    return {name: value for name, value in found.items() if value}


def order_body(values: Mapping[str, Any], cart_id: str) -> dict[str, Any]:
    """Return the body of POST /orders from the cleaned form."""
    body: dict[str, Any] = {
        "cart_id": cart_id,
        "email": values["email"],
        "shipping_address": address_fields(values),
        "shipping_method": values["shipping_method"],
        "payment": {"method": "card", "token": values["card"]},
    }
    if values.get("other_billing"):
        body["billing_address"] = address_fields(values, "billing_")
    if values.get("expected_amount"):
        body["expected_total"] = {
            "amount": int(values["expected_amount"]),
            "currency": values.get("expected_currency") or "EUR",
        }
    return body


def present_methods(raw: Sequence[Mapping[str, Any]], chosen: str, locale: str) -> list[dict[str, Any]]:
    """Return shipping methods as radio buttons; the first is the default."""
    codes = [m["code"] for m in raw]
    current = chosen if chosen in codes else next(iter(codes), "")
    return [
        {
            "code": m["code"],
            "name": m["name"],
            "price": "Free" if not m["price"]["amount"] else format_money(m["price"], locale),
            "price_money": m["price"],
            "days": _days(m.get("min_days"), m.get("max_days")),
            "on": m["code"] == current,
        }
        for m in raw
    ]


def present_test_cards(chosen: str) -> dict[str, Any]:
    """Return the test cards as radio buttons.

    The usual three come first; the others are folded, and open if one of them is chosen.
    """
    shown = [
        {"token": token, "name": name, "what": what, "on": token == chosen}
        for token, name, what in TEST_CARDS
    ]
    return {"first": shown[:3], "more": shown[3:], "open": any(c["on"] for c in shown[3:])}


def _days(least: int | None, most: int | None) -> str:
    if not most:
        return ""
    if not least or least == most:
        return "1 working day" if most == 1 else f"{most} working days"
    return f"{least}–{most} working days"


def present_totals(quote: Mapping[str, Any], locale: str) -> dict[str, Any]:
    """Return the figures of the summary from a quote or an order's `totals`."""
    tax = quote.get("tax") or {}
    discount = quote.get("discount") or {}
    shipping = quote.get("shipping")
    return {
        "subtotal": format_money(quote.get("subtotal"), locale),
        "discount": format_money(discount, locale) if discount.get("amount") else "",
        "shipping": "Free" if shipping and not shipping["amount"] else format_money(shipping, locale),
        "tax": format_money(tax.get("amount"), locale) if isinstance(tax.get("amount"), Mapping) else "",
        "tax_label": _tax_label(tax, quote.get("taxes") or []),
        "total": format_money(quote.get("total"), locale),
        "total_money": quote.get("total"),
        "estimate": False,
    }


def _tax_label(tax: Mapping[str, Any], taxes: Sequence[Mapping[str, Any]]) -> str:
    """Return `Includes VAT 21%`, or several rates as in `Includes VAT 6% and 21%`."""
    verb = "Includes VAT" if tax.get("included", True) else "VAT"
    several = [shown for share in taxes if (shown := format_percent(share.get("rate")))]
    return f"{verb} {format_percent(tax.get('rate')) or ' and '.join(several)}".strip()


def format_percent(rate: float | None) -> str:
    """Return `21%` for the fraction 0.21; nothing for 0, and for None, which stands for several rates."""
    return f"{100 * rate:.1f}".removesuffix(".0") + "%" if rate else ""


def estimate_totals(
    total: Mapping[str, Any] | None,
    subtotal: str,
    discount: str,
    method: Mapping[str, Any] | None,
    locale: str,
) -> dict[str, Any] | None:
    """Return the summary before there is an address to quote for; None without a cart.

    It adds the price of the chosen method to the cart's total.
    """
    if not total:
        return None
    found = add_money(total, method["price_money"]) if method else dict(total)
    return {
        "subtotal": subtotal,
        "discount": discount,
        "shipping": method["price"] if method else "",
        "tax": "",
        "tax_label": "",
        "total": format_money(found, locale),
        "total_money": found,
        "estimate": True,
    }


def explain_rejection(status: int, problem: Mapping[str, Any], titles: Mapping[str, str]) -> OrderRejection:
    """Translate a 4xx of POST /orders or /quotes for a shopper.

    `titles` maps SKUs to the titles of the cart's lines.
    """
    kind = str(problem.get("type") or "").rpartition("/")[2]
    if status == 400:
        return _invalid(problem)
    if status == 402:
        return OrderRejection(
            "Your bank refused the payment",
            _bank(problem),
            {"card": ["Please try another card."]},
            status=402,
        )
    if kind == "out-of-stock":
        return OrderRejection(
            "Some products are not available in that quantity", _short(problem, titles), status=409
        )
    if kind == "idempotency-in-progress":
        text = "Nothing is lost and you will not pay twice. Wait a few seconds, then press the button again."
        return OrderRejection("Your order is still being placed", text, new_key=False, status=409)
    if kind == "cart-changed":
        return OrderRejection(
            "Your cart has changed meanwhile", "Please look at it again below, then order.", status=409
        )
    if status == 409:
        text = "Another order with it is on its way. Look at your orders or your mail first."
        return OrderRejection("This cart is already being ordered", text, status=409)
    return _rule(status, kind, problem)


def _rule(status: int, kind: str, problem: Mapping[str, Any]) -> OrderRejection:
    detail = str(problem.get("detail") or "")
    if kind == "total-changed":
        return OrderRejection(
            "The total has changed", "Please look at the new total, then order again if you agree."
        )
    if kind.startswith("idempotency"):
        text = "If a mail confirms the first try, you are done; else press the button again."
        return OrderRejection("You changed something after the first try", text)
    if kind == "cart-empty":
        return OrderRejection(*EMPTY, status=409)
    if "coupon" in kind:
        return OrderRejection(
            "The coupon no longer applies", detail or "Remove it in your cart, then order again."
        )
    if "shipping" in kind:
        return OrderRejection(
            "We cannot send it that way", detail, {"shipping_method": ["Please choose another way."]}
        )
    if status == 404:
        return OrderRejection(
            "We could not find your cart", "Please go back to your cart and start again.", status=404
        )
    return OrderRejection("We could not take this order", detail or "Please check the details below.")


def _bank(problem: Mapping[str, Any]) -> str:
    if problem.get("code") == "insufficient_funds":
        return "There was not enough money on the card. Nothing was charged; your cart is as it was."
    return "Nothing was charged and your cart is as it was. Another card may work."


def _short(problem: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    parts = []
    for short in problem.get("short") or []:
        title, left = titles.get(short.get("sku", ""), short.get("sku", "")), short.get("available") or 0
        parts.append(f"“{title}” is sold out" if left <= 0 else f"of “{title}” only {left} left")
    listed = "; ".join(parts)
    listed = listed[:1].upper() + listed[1:] + ". " if listed else ""
    return listed + "Change your cart, then order again. What you typed here is kept."


def _invalid(problem: Mapping[str, Any]) -> OrderRejection:
    fields = {_field(name): reasons for name, reasons in flatten_errors(problem.get("errors") or {}).items()}
    return OrderRejection(
        "Please check the marked fields",
        "" if fields else str(problem.get("detail") or ""),
        fields,
        status=400,
    )


def flatten_errors(errors: Mapping[str, Any], prefix: str = "") -> dict[str, list[str]]:
    """Return errors by dotted path, as in `{"shipping_address.city": ["…"]}`, from nested or flat ones."""
    found: dict[str, list[str]] = {}
    for name, value in errors.items():
        path = f"{prefix}{name}"
        if isinstance(value, Mapping):
            found |= flatten_errors(value, path + ".")
        else:
            found[path] = [str(reason) for reason in (value if isinstance(value, list) else [value])]
    return found


def _field(path: str) -> str:
    """Return the form's field for a path of the API's body."""
    path = re.sub(r"[\[/]", ".", path).replace("]", "")
    if path.startswith("shipping_address."):
        return path.removeprefix("shipping_address.")
    if path.startswith("billing_address."):
        return "billing_" + path.removeprefix("billing_address.")
    return "card" if path.startswith("payment") else path
