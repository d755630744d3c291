"""What the catalogue says of a SKU."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from cart.domain.money import Money

# What ids are made of; anything else cannot be a SKU, and must not get into an address.
_SKU = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")


def could_be_sku(text: str) -> bool:
    return bool(_SKU.match(text))


@dataclass(frozen=True, slots=True)
class Offer:
    """A SKU as it is sold: `availability` is `in_stock`, `low` or `out`, `image` is the catalogue's."""

    sku: str
    product_id: str
    title: str
    slug: str
    price: Money
    availability: str
    image: Any = None
    attributes: dict[str, Any] = field(default_factory=dict)
