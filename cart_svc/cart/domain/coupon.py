"""Coupons: a code that lowers the total under conditions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cart.domain.cart import Refused
from cart.domain.money import Money


@dataclass(slots=True)
class Coupon:
    """`id` is the code in capitals.

    Takes off `percent` (1-100) or, when that is 0, `amount_off` minor units, from a subtotal of at least
    `minimum` minor units. No start and no end mean always.
    """

    id: str
    title: str = ""
    percent: int = 0
    amount_off: int = 0
    minimum: int = 0
    currency: str = "EUR"
    active: bool = True
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def check(self, now: datetime) -> None:
        """Refused when it cannot be used at all."""
        if not self.active or (self.starts_at and now < self.starts_at):
            raise Refused("unknown-coupon", "There is no such coupon.")
        if self.ends_at and now >= self.ends_at:
            raise Refused("coupon-ended", "This coupon has ended.")

    def discount(self, subtotal: Money, now: datetime) -> Money:
        """What it takes off this subtotal now, never more than all of it; rounded down to the minor unit."""
        try:
            self.check(now)
        except Refused:
            return Money(0, subtotal.currency)
        if subtotal.currency != self.currency or subtotal.amount < self.minimum:
            return Money(0, subtotal.currency)
        off = subtotal.amount * self.percent // 100 if self.percent else self.amount_off
        return Money(min(off, subtotal.amount), subtotal.currency)
