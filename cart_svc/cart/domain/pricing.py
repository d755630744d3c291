"""A cart with current prices, and the notices about its lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cart.domain.cart import Cart, Line
from cart.domain.coupon import Coupon
from cart.domain.money import Money
from cart.domain.offer import Offer

NOT_FOR_SALE = "This is not for sale any more."
OUT_OF_STOCK = "Out of stock just now."
STALE_PRICES = "Prices may be a few minutes old."


@dataclass(frozen=True, slots=True)
class PricedLine:
    """A line with its current price; `notice` tells the shopper what changed."""

    sku: str
    product_id: str
    title: str
    slug: str
    image: Any
    attributes: dict[str, Any]
    unit_price: Money
    quantity: int
    line_total: Money
    availability: str
    notice: str | None


@dataclass(frozen=True, slots=True)
class PricedCart:
    """The public cart; `count` is units, not lines, and `id` is None if there is no cart."""

    id: str | None = None
    lines: list[PricedLine] = field(default_factory=list)
    saved: list[PricedLine] = field(default_factory=list)
    coupon: str | None = None
    subtotal: Money = field(default_factory=Money)
    discount: Money = field(default_factory=Money)
    total: Money = field(default_factory=Money)
    count: int = 0


def price_cart(
    cart: Cart, offers: Mapping[str, Offer] | None, coupon: Coupon | None, now: datetime
) -> PricedCart:
    """Return the cart with prices; without `offers` (catalogue unavailable) the last seen ones hold."""
    lines = [_price(line, offers) for line in cart.lines]
    currency = lines[0].unit_price.currency if lines else "EUR"
    subtotal = Money(sum(line.line_total.amount for line in lines), currency)
    discount = coupon.discount(subtotal, now) if coupon else Money(0, currency)
    return PricedCart(
        id=cart.id,
        lines=lines,
        saved=[_price(line, offers) for line in cart.saved],
        coupon=cart.coupon,
        subtotal=subtotal,
        discount=discount,
        total=Money(subtotal.amount - discount.amount, currency),
        count=cart.count,
    )


def _price(line: Line, offers: Mapping[str, Offer] | None) -> PricedLine:
    offer = line.seen if offers is None else offers.get(line.sku)
    shown = offer or line.seen
    return PricedLine(
        sku=shown.sku,
        product_id=shown.product_id,
        title=shown.title,
        slug=shown.slug,
        image=shown.image,
        attributes=dict(shown.attributes),
        unit_price=shown.price,
        quantity=line.quantity,
        line_total=shown.price.times(line.quantity),
        availability=offer.availability if offer else "out",
        notice=_notice(line, offer, stale=offers is None),
    )


def _notice(line: Line, offer: Offer | None, *, stale: bool) -> str | None:
    if offer is None:
        return NOT_FOR_SALE
    notices = [OUT_OF_STOCK] if offer.availability == "out" else []
    before, now = line.price_added, offer.price
    if before != now:
        way = "went up" if now.amount > before.amount else "went down"
        notices.append(f"The price {way} from {before} to {now} since you added it.")
    if stale:
        notices.append(STALE_PRICES)
    return " ".join(notices) or None
