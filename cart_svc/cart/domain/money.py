"""Amounts of money, without rounding."""

from __future__ import annotations

from dataclasses import dataclass

SIGNS = {"EUR": "€", "USD": "$", "GBP": "£"}


@dataclass(frozen=True, slots=True)
class Money:
    """`amount` in minor units (cents) of an ISO 4217 currency."""

    amount: int = 0
    currency: str = "EUR"

    def times(self, count: int) -> Money:
        return Money(self.amount * count, self.currency)

    def __str__(self) -> str:
        number = f"{self.amount // 100}.{self.amount % 100:02d}"
        sign = SIGNS.get(self.currency)
        return f"{sign}{number}" if sign else f"{number} {self.currency}"
