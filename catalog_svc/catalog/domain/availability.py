"""Public availability in three words; exact numbers of units stay inside."""

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
    """Return the public availability of `units` that could be sold now."""
    if units <= 0:
        return Availability.OUT
    return Availability.LOW if units <= low else Availability.IN_STOCK


def best_availability(of: Iterable[Availability]) -> Availability:
    """Return the availability of a product's best variant; without variants it is out."""
    return min(of, key=_RANK.index, default=Availability.OUT)
