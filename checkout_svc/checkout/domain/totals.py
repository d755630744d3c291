"""What an order costs. Prices include VAT; the tax is the part of them that goes to the country of delivery.

Rates are in basis points (2100 = 21 %), from the European Commission's "Taxes in Europe Database", 2025;
outside the EU no VAT is charged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .money import Money, divide_half_up, total

#: country -> (standard, reduced)
VAT: Mapping[str, tuple[int, int]] = {
    "AT": (2000, 1000), "BE": (2100, 600), "BG": (2000, 900), "HR": (2500, 1300), "CY": (1900, 900),
    "CZ": (2100, 1200), "DE": (1900, 700), "DK": (2500, 2500), "EE": (2400, 900), "ES": (2100, 1000),
    "FI": (2550, 1400), "FR": (2000, 550), "GR": (2400, 1300), "HU": (2700, 1800), "IE": (2300, 1350),
    "IT": (2200, 1000), "LT": (2100, 900), "LU": (1700, 800), "LV": (2100, 1200), "MT": (1800, 700),
    "NL": (2100, 900), "PL": (2300, 800), "PT": (2300, 1300), "RO": (2100, 1100), "SE": (2500, 1200),
    "SI": (2200, 950), "SK": (2300, 1900),
}  # fmt: skip


@dataclass(slots=True, frozen=True)
class Line:
    """One SKU of an order as it was sold: title and ``unit_price`` are those of the moment of the sale."""

    sku: str
    quantity: int
    unit_price: Money
    product_id: str = ""
    title: str = ""
    slug: str = ""
    image: Any = None
    tax_class: str = "standard"
    attributes: dict[str, Any] = field(default_factory=dict)

    @property
    def line_total(self) -> Money:
        return self.unit_price.times(self.quantity)


@dataclass(slots=True, frozen=True)
class Totals:
    """``total = subtotal - discount + shipping``; ``tax`` is included in it, ``tax_rate`` in basis points."""

    subtotal: Money
    discount: Money
    shipping: Money
    tax: Money
    tax_rate: int
    total: Money


def rate(country: str, tax_class: str) -> int:
    """Basis points of VAT in ``country``; an unknown tax class pays the standard rate."""
    standard, reduced = VAT.get(country, (0, 0))
    return {"reduced": reduced, "zero": 0}.get(tax_class, standard)


def included_tax(gross: int, basis_points: int) -> int:
    """The VAT inside ``gross`` cents."""
    return divide_half_up(gross * basis_points, 10_000 + basis_points)


def price(lines: Sequence[Line], shipping: Money, country: str, discount: Money | None = None) -> Totals:
    """The totals of ``lines`` sent to ``country``; tax is rounded once per rate, as on an invoice."""
    subtotal = total([line.line_total for line in lines], shipping.currency)
    discount = discount or Money(0, shipping.currency)
    due = subtotal - discount + shipping
    gross: dict[int, int] = {rate(country, "standard"): shipping.amount}
    for line in lines:
        points = rate(country, line.tax_class)
        gross[points] = gross.get(points, 0) + line.line_total.amount
    tax = sum(included_tax(amount, points) for points, amount in _less(gross, discount.amount).items())
    return Totals(
        subtotal, discount, shipping, Money(tax, due.currency), _overall(gross, tax, due.amount), due
    )


def _less(gross: Mapping[int, int], discount: int) -> dict[int, int]:
    """``gross`` per rate with the discount spread over the rates in proportion; the last takes the rest."""
    whole, left, result = sum(gross.values()), discount, {}
    for number, (points, amount) in enumerate(sorted(gross.items())):
        last = number == len(gross) - 1
        share = left if last else divide_half_up(discount * amount, whole) if whole else 0
        result[points], left = amount - share, left - share
    return result


def _overall(gross: Mapping[int, int], tax: int, due: int) -> int:
    """The one rate when there is one, else the rate that all of it comes to."""
    used = [points for points, amount in gross.items() if amount]
    if len(used) <= 1:
        return used[0] if used else 0
    return divide_half_up(tax * 10_000, due - tax) if due > tax else 0
