"""Steps from an older shape of a document to the next, on read; `repositories.py` says which one each is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chassis.couch.codec import converter

from .domain import Balance, Line, Money, Refund, Totals, tax_shares

Document = dict[str, Any]


def name_tax_rates(document: Document) -> Document:
    """Schema 1 kept one rate worked backwards from rounded cents; 2 keeps each rate with its base and tax."""
    totals = document["totals"]
    lines = converter.structure(document["lines"], tuple[Line, ...])
    shipping, discount = (converter.structure(totals[name], Money) for name in ("shipping", "discount"))
    taxes = tax_shares(lines, shipping, document["shipping_address"]["country"], discount)
    rate = taxes[0].rate if len(taxes) == 1 else 0
    return {**document, "totals": {**totals, "tax_rate": rate, "taxes": converter.unstructure(taxes)}}


def apportion_refunds(document: Document) -> Document:
    """Schema 2 kept a refund's amount only; 3 keeps its lines too, each amount split over what was left."""
    lines = converter.structure(document["lines"], tuple[Line, ...])
    balance = Balance.of(lines, converter.structure(document["totals"], Totals), ())
    refunds = []
    for refund in converter.structure(document.get("refunds", []), tuple[Refund, ...]):
        parts, shipping = balance.amount(refund.amount.amount)
        refunds.append(replace(refund, lines=parts, shipping=shipping))
        balance = balance.less(refunds[-1])
    return {**document, "refunds": converter.unstructure(refunds)}
