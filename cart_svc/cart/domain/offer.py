"""Offers: SKUs as the catalogue sells them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from cart.domain.money import Money

# The characters of ids; anything else cannot be a SKU, and must not get into a URL.
_SKU = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")


def is_valid_sku(text: str) -> bool:
    """Return True if the text can be a SKU."""
    return bool(_SKU.match(text))


@dataclass(frozen=True, slots=True)
class Offer:
    """A SKU as it is sold; `availability` is `in_stock`, `low` or `out`, `image` is the catalogue's."""

    sku: str
    product_id: str
    title: str
    slug: str
    price: Money
    availability: str
    image: Any = None
    attributes: dict[str, Any] = field(default_factory=dict)
