"""Money in integer minor units."""

from __future__ import annotations

from dataclasses import dataclass

#: The shop sells in one currency; a second one would need prices per market.
CURRENCY = "EUR"


@dataclass(frozen=True, slots=True)
class Money:
    """`amount` in minor units (cents) of the ISO 4217 `currency`."""

    amount: int
    currency: str = CURRENCY
