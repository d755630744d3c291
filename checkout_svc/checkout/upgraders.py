"""Steps from an older shape of a document to the next, on read; `repositories.py` says which one each is."""

from __future__ import annotations

from typing import Any

from chassis.couch.codec import converter

from .domain import Line, Money, tax_shares

Document = dict[str, Any]


def name_tax_rates(document: Document) -> Document:
    """Schema 1 kept one rate worked backwards from rounded cents; 2 keeps each rate with its base and tax."""
    totals = document["totals"]
    lines = converter.structure(document["lines"], tuple[Line, ...])
    shipping, discount = (converter.structure(totals[name], Money) for name in ("shipping", "discount"))
    taxes = tax_shares(lines, shipping, document["shipping_address"]["country"], discount)
    rate = taxes[0].rate if len(taxes) == 1 else 0
    return {**document, "totals": {**totals, "tax_rate": rate, "taxes": converter.unstructure(taxes)}}
