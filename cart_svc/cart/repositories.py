"""The collections of cart_svc and their indexes."""

from __future__ import annotations

from cart.domain import Cart, Coupon
from chassis.couch import Collection, Index

DATABASE = "carts"

CARTS = Collection(
    database=DATABASE,
    kind="cart",
    type=Cart,
    # by_owner is for the cleanup; the admin lists use both.
    indexes=(Index("by_owner", ("guest", "updated_at")), Index("by_time", ("updated_at",))),
)
COUPONS = Collection(
    database=DATABASE, kind="coupon", type=Coupon, indexes=(Index("by_active", ("active",)),)
)

COLLECTIONS = (CARTS, COUPONS)
