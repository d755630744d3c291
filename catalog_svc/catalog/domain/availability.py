"""What the public is told about stock. Exact numbers stay inside."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

#: With this many or fewer left, a SKU is `low`.
LOW_STOCK = 5


class Availability(StrEnum):
    IN_STOCK = "in_stock"
    LOW = "low"
    OUT = "out"


_RANK = [Availability.IN_STOCK, Availability.LOW, Availability.OUT]


def availability_of(units: int, low: int = LOW_STOCK) -> Availability:
    """`units` that could be sold now, in the public's words."""
    if units <= 0:
        return Availability.OUT
    return Availability.LOW if units <= low else Availability.IN_STOCK


def best(of: Iterable[Availability]) -> Availability:
    """A product is as available as its best variant; without variants it is out."""
    return min(of, key=_RANK.index, default=Availability.OUT)
