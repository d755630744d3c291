"""Money in minor units. No floats anywhere: half-up rounding on integers only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True, frozen=True)
class Money:
    """``amount`` minor units (cents) of the ISO 4217 ``currency``."""

    amount: int
    currency: str = "EUR"

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount - other.amount, self.currency)

    def times(self, quantity: int) -> Money:
        return Money(self.amount * quantity, self.currency)

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add up")


def total(parts: list[Money], currency: str = "EUR") -> Money:
    """The sum; zero of ``currency`` for no parts."""
    result = Money(0, currency)
    for part in parts:
        result = result + part
    return result


def divide_half_up(numerator: int, denominator: int) -> int:
    """``numerator / denominator`` rounded half away from zero; both non-negative."""
    return (2 * numerator + denominator) // (2 * denominator)
