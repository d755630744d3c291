"""Service client for the catalogue: SKUs, their prices and their availability."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from cart.domain import Money, Offer
from chassis.clients import Refused, ServiceClient, ServiceUnavailable

_PER_CALL = 60  # SKUs of 64 characters: an address well under 8 KB, nginx's limit


class CatalogUnavailable(Exception):
    """The catalogue does not answer, or its response cannot be used."""


class Catalog(Protocol):
    """The port to the catalogue."""

    def offers(self, skus: Sequence[str]) -> Mapping[str, Offer]:
        """Return the current offers of those ``skus`` that are for sale. Raises CatalogUnavailable."""
        ...


class CatalogClient:
    """`Catalog` over `GET /internal/skus` of catalog_svc."""

    def __init__(self, catalog: ServiceClient) -> None:
        self._catalog = catalog

    def offers(self, skus: Sequence[str]) -> Mapping[str, Offer]:
        found: dict[str, Offer] = {}
        for part in _batches(skus):
            found.update((offer.sku, offer) for offer in self._fetch(part))
        return found

    def _fetch(self, skus: Sequence[str]) -> list[Offer]:
        try:
            answer = self._catalog.get("/internal/skus", {"sku": ",".join(skus)}, timeout=4.0).json
            return [_offer(row) for row in answer]
        except (ServiceUnavailable, Refused, KeyError, TypeError) as error:
            raise CatalogUnavailable(repr(error)) from error


def _batches(skus: Sequence[str]) -> Iterator[Sequence[str]]:
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
