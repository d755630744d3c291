"""Coupons, as staff make them."""

from __future__ import annotations

from cart.domain import Coupon
from chassis.couch import Repository


class Coupons:
    def __init__(self, *, coupons: Repository[Coupon]) -> None:
        self._coupons = coupons

    def coupon_create(self, coupon: Coupon) -> Coupon:
        """Conflict when the code is taken, Refused when it makes no sense."""
        coupon.validate()
        return self._coupons.add(coupon)
