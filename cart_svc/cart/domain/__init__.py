"""Rules of carts, lines, coupons and prices."""

from cart.domain.cart import (
    MAX_LINES,
    MAX_QUANTITY,
    Cart,
    ClaimRefused,
    Line,
    LineNotFound,
    RuleViolation,
    StoredResponse,
    account_cart_id,
)
from cart.domain.coupon import Coupon
from cart.domain.money import Money
from cart.domain.offer import Offer
from cart.domain.pricing import PricedCart, PricedLine, price_cart

__all__ = [
    "MAX_LINES",
    "MAX_QUANTITY",
    "Cart",
    "ClaimRefused",
    "Coupon",
    "Line",
    "LineNotFound",
    "Money",
    "Offer",
    "PricedCart",
    "PricedLine",
    "RuleViolation",
    "StoredResponse",
    "account_cart_id",
    "price_cart",
]
