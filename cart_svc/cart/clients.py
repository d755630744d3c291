"""The catalogue, as seen from here: what a SKU is, what it costs and whether it can be had."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from cart.domain import Money, Offer
from chassis.siblings import Refused, Sibling, SiblingDown

_PER_CALL = 60  # SKUs of 64 characters: an address well under 8 KB, nginx's limit


class CatalogAway(Exception):
    """The catalogue does not answer, or not in a way that can be used."""


class Catalog(Protocol):
    def offers(self, skus: Sequence[str]) -> Mapping[str, Offer]:
        """What is for sale of these, as of now; what is not there is not sold. CatalogAway."""
        ...


class SiblingCatalog:
    """Catalog over catalog_svc's `GET /internal/skus`."""

    def __init__(self, catalog: Sibling) -> None:
        self._catalog = catalog

    def offers(self, skus: Sequence[str]) -> Mapping[str, Offer]:
        found: dict[str, Offer] = {}
        for part in _parts(skus):
            found.update((offer.sku, offer) for offer in self._ask(part))
        return found

    def _ask(self, skus: Sequence[str]) -> list[Offer]:
        try:
            answer = self._catalog.get("/internal/skus", {"sku": ",".join(skus)}, timeout=4.0).json
            return [_offer(row) for row in answer]
        except (SiblingDown, Refused, KeyError, TypeError) as error:
            raise CatalogAway(repr(error)) from error


def _parts(skus: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(skus), _PER_CALL):
        yield skus[start : start + _PER_CALL]


def _offer(row: dict[str, Any]) -> Offer:
    return Offer(
        sku=row["sku"],
        product_id=row["product_id"],
        title=row["title"],
        slug=row["slug"],
        price=Money(row["price"]["amount"], row["price"]["currency"]),
        availability=row["availability"],
        image=row.get("image"),
        attributes=dict(row.get("attributes") or {}),
    )
