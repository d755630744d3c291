"""Upgraders from an older schema of a document to the next, on read; see `repositories.py`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chassis.couch.codec import converter

from .domain import Balance, Line, Money, Refund, Totals, tax_shares

Document = dict[str, Any]


def name_tax_rates(document: Document) -> Document:
    """Upgrade schema 1, with one rate computed from rounded cents, to one rate per tax share."""
    totals = document["totals"]
    lines = converter.structure(document["lines"], tuple[Line, ...])
    shipping, discount = (converter.structure(totals[name], Money) for name in ("shipping", "discount"))
    taxes = tax_shares(lines, shipping, document["shipping_address"]["country"], discount)
    rate = taxes[0].rate if len(taxes) == 1 else 0
    return {**document, "totals": {**totals, "tax_rate": rate, "taxes": converter.unstructure(taxes)}}


def apportion_refunds(document: Document) -> Document:
    """Upgrade schema 2, with amounts of refunds only, to refunds split over lines and shipping."""
    lines = converter.structure(document["lines"], tuple[Line, ...])
    balance = Balance.of(lines, converter.structure(document["totals"], Totals), ())
    refunds = []
    for refund in converter.structure(document.get("refunds", []), tuple[Refund, ...]):
        parts, shipping = balance.allocate_amount(refund.amount.amount)
        refunds.append(replace(refund, lines=parts, shipping=shipping))
        balance = balance.subtract(refunds[-1])
    return {**document, "refunds": converter.unstructure(refunds)}
