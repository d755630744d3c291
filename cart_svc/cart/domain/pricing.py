"""A cart with the prices of now, and what a shopper has to be told about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cart.domain.cart import Cart, Line
from cart.domain.coupon import Coupon
from cart.domain.money import Money
from cart.domain.offer import Offer

GONE = "This is not for sale any more."
OUT = "Out of stock just now."
STALE = "Prices may be a few minutes old."


@dataclass(frozen=True, slots=True)
class PricedLine:
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
    """The public cart. `count` is units, not lines; `id` is None when there is no cart."""

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
    """`offers` None: the catalogue is away, and the last seen prices hold."""
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
        return GONE
    told = [OUT] if offer.availability == "out" else []
    before, now = line.price_added, offer.price
    if before != now:
        way = "went up" if now.amount > before.amount else "went down"
        told.append(f"The price {way} from {before} to {now} since you added it.")
    if stale:
        told.append(STALE)
    return " ".join(told) or None
