"""What cart_svc knows: carts, what is in them, and the rules of putting it there."""

from cart.domain.cart import (
    MOST_LINES,
    MOST_OF_EACH,
    Answer,
    Cart,
    ClaimRefused,
    Line,
    NoSuchLine,
    Refused,
    account_cart_id,
)
from cart.domain.coupon import Coupon
from cart.domain.money import Money
from cart.domain.offer import Offer
from cart.domain.pricing import PricedCart, PricedLine, price_cart

__all__ = [
    "MOST_LINES",
    "MOST_OF_EACH",
    "Answer",
    "Cart",
    "ClaimRefused",
    "Coupon",
    "Line",
    "Money",
    "NoSuchLine",
    "Offer",
    "PricedCart",
    "PricedLine",
    "Refused",
    "account_cart_id",
    "price_cart",
]
