"""Coupons: codes that lower the total under conditions."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cart.domain.cart import RuleViolation
from cart.domain.money import Money

_CODE = re.compile(r"[A-Z0-9][A-Z0-9_-]{1,39}\Z")


@dataclass(slots=True)
class Coupon:
    """A coupon; `id` is the code in capitals.

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
    events: list[dict[str, Any]] = field(default_factory=list)
    event_seq: int = 0

    def validate(self) -> None:
        """Raise RuleViolation if the coupon's fields contradict each other; call it before saving."""
        if not _CODE.match(self.id):
            raise RuleViolation("bad-coupon", "A code has 2 to 40 capital letters, digits, - or _.")
        if not 0 <= self.percent <= 100 or self.amount_off < 0 or self.minimum < 0:
            raise RuleViolation("bad-coupon", "A percentage is 0 to 100, and no amount is negative.")
        if bool(self.percent) == bool(self.amount_off):
            raise RuleViolation("bad-coupon", "It takes off either a percentage or an amount.")
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            raise RuleViolation("bad-coupon", "It ends after it starts.")

    def check(self, now: datetime) -> None:
        """Raise RuleViolation if the coupon cannot be used now."""
        if not self.active or (self.starts_at and now < self.starts_at):
            raise RuleViolation("unknown-coupon", "There is no such coupon.")
        if self.ends_at and now >= self.ends_at:
            raise RuleViolation("coupon-ended", "This coupon has ended.")

    def discount(self, subtotal: Money, now: datetime) -> Money:
        """Return the discount on this subtotal now, at most all of it, rounded down to the minor unit."""
        try:
            self.check(now)
        except RuleViolation:
            return Money(0, subtotal.currency)
        if subtotal.currency != self.currency or subtotal.amount < self.minimum:
            return Money(0, subtotal.currency)
        off = subtotal.amount * self.percent // 100 if self.percent else self.amount_off
        return Money(min(off, subtotal.amount), subtotal.currency)
