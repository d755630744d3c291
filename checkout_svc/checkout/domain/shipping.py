"""Shipping methods and their prices by country."""

from __future__ import annotations

from dataclasses import dataclass

from .money import Money


@dataclass(slots=True, frozen=True)
class ShippingMethod:
    """A shipping method: its price, VAT included, and its duration in working days."""

    code: str
    name: str
    price: Money
    min_days: int
    max_days: int


_NEAR = frozenset({"BE", "NL", "LU"})
_ZONES = """
AT BG CH CY CZ DE DK EE ES FI FR GB GR HR HU IE IT LI LT LV MT NO PL PT RO SE SI SK
"""
_EUROPE = frozenset(_ZONES.split())
_PRICES = {  # zone -> (code, name, cents, min days, max days)
    "near": (("standard", "Standard delivery", 495, 1, 3), ("express", "Express delivery", 995, 1, 1)),
    "europe": (("standard", "Standard delivery", 895, 2, 6), ("express", "Express delivery", 1995, 1, 2)),
    "world": (
        ("standard", "International delivery", 1995, 5, 15),
        ("express", "International express", 3995, 2, 5),
    ),
}


def shipping_methods(country: str) -> list[ShippingMethod]:
    """Return the shipping methods for ``country``, the cheapest first."""
    zone = "near" if country in _NEAR else "europe" if country in _EUROPE else "world"
    return [
        ShippingMethod(code, name, Money(cents), low, high) for code, name, cents, low, high in _PRICES[zone]
    ]


def shipping_method(code: str, country: str) -> ShippingMethod | None:
    """Return the shipping method ``code`` for ``country``, or None."""
    return next((method for method in shipping_methods(country) if method.code == code), None)
