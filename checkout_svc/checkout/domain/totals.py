"""Totals of an order and the VAT they include.

Prices include VAT of the country of delivery. Rates are in basis points (2100 = 21 %), from the European
Commission's "Taxes in Europe Database", 2025; outside the EU no VAT is charged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .money import Money, divide_half_up, split, sum_money

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
    """One SKU of an order as it was sold, with the title and ``unit_price`` of that moment."""

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
class TaxShare:
    """The VAT at one ``rate`` (basis points): ``amount`` on ``base``, due in ``country``."""

    rate: int
    base: Money
    amount: Money
    country: str


@dataclass(slots=True, frozen=True)
class Totals:
    """``total = subtotal - discount + shipping``; it includes ``tax``, the sum of ``taxes``.

    ``tax_rate`` is the one rate in basis points; 0 where nothing is taxed or there are several.
    """

    subtotal: Money
    discount: Money
    shipping: Money
    tax: Money
    tax_rate: int
    total: Money
    taxes: tuple[TaxShare, ...] = ()

    @property
    def single_rate(self) -> int | None:
        """Return the rate of goods and shipping in basis points, or None if they differ."""
        return None if len(self.taxes) > 1 else self.tax_rate


def rate(country: str, tax_class: str) -> int:
    """Return the VAT rate in basis points; an unknown tax class has the standard rate."""
    standard, reduced = VAT.get(country, (0, 0))
    return {"reduced": reduced, "zero": 0}.get(tax_class, standard)


def included_tax(gross: int, basis_points: int) -> int:
    """Return the VAT included in ``gross`` cents."""
    return divide_half_up(gross * basis_points, 10_000 + basis_points)


def price(lines: Sequence[Line], shipping: Money, country: str, discount: Money | None = None) -> Totals:
    """Return the totals of ``lines`` sent to ``country``; tax is rounded once per rate, as on an invoice."""
    subtotal = sum_money([line.line_total for line in lines], shipping.currency)
    discount = discount or Money(0, shipping.currency)
    taxes = tax_shares(lines, shipping, country, discount)
    return Totals(
        subtotal=subtotal,
        discount=discount,
        shipping=shipping,
        tax=sum_money([share.amount for share in taxes], shipping.currency),
        tax_rate=taxes[0].rate if len(taxes) == 1 else 0,
        total=subtotal - discount + shipping,
        taxes=taxes,
    )


def tax_shares(lines: Sequence[Line], shipping: Money, country: str, discount: Money) -> tuple[TaxShare, ...]:
    """Return the VAT of goods and shipping per rate, without rates that nothing is charged at."""
    goods: dict[int, int] = {}
    for line in lines:
        points = rate(country, line.tax_class)
        goods[points] = goods.get(points, 0) + line.line_total.amount
    gross = dict(zip(goods, _subtract_discount(list(goods.values()), discount.amount), strict=True))
    if shipping.amount:
        points = rate(country, "standard")
        gross[points] = gross.get(points, 0) + shipping.amount
    charged = {points: amount for points, amount in gross.items() if amount} or gross
    return tuple(
        TaxShare(points, Money(amount - tax, shipping.currency), Money(tax, shipping.currency), country)
        for points, amount in sorted(charged.items())
        for tax in (included_tax(amount, points),)
    )


def _subtract_discount(amounts: list[int], discount: int) -> list[int]:
    """Return ``amounts`` less their proportional part of ``discount``."""
    return [amount - part for amount, part in zip(amounts, split(discount, amounts), strict=True)]
