"""Money in minor units, with integer arithmetic only; amounts are rounded half up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True, frozen=True)
class Money:
    """``amount`` minor units (cents) of the ISO 4217 ``currency``."""

    amount: int
    currency: str = "EUR"

    def __add__(self, other: Money) -> Money:
        self._require_same_currency(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._require_same_currency(other)
        return Money(self.amount - other.amount, self.currency)

    def times(self, quantity: int) -> Money:
        return Money(self.amount * quantity, self.currency)

    def _require_same_currency(self, other: Money) -> None:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add up")


def sum_money(parts: list[Money], currency: str = "EUR") -> Money:
    """Return the sum of ``parts``, or zero of ``currency`` if there are none."""
    result = Money(0, currency)
    for part in parts:
        result = result + part
    return result


def divide_half_up(numerator: int, denominator: int) -> int:
    """Return ``numerator / denominator`` rounded half up; both must be non-negative."""
    return (2 * numerator + denominator) // (2 * denominator)


def split(amount: int, weights: Sequence[int]) -> list[int]:
    """Split ``amount`` in proportion to ``weights`` by largest remainder, ties by position.

    The parts always add up to ``amount``. No part of a positive weight exceeds it while ``amount`` is at most
    their sum. Zero weights get zero; where all are zero the first gets everything.
    """
    whole = sum(weights)
    if not whole:
        return [amount, *[0] * (len(weights) - 1)] if weights else []
    parts = [amount * weight // whole for weight in weights]
    by_remainder = sorted(
        (place for place, weight in enumerate(weights) if weight),
        key=lambda place: (-(amount * weights[place] % whole), place),
    )
    for place in by_remainder[: amount - sum(parts)]:
        parts[place] += 1
    return parts
