"""Ports of the use cases; ``container.py`` passes the real adapters, tests pass fakes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from ..domain import Money


class RuleViolation(Exception):
    """A business rule refuses the request.

    ``type`` is the slug of the problem; ``members`` are added to the problem.
    """

    def __init__(self, status: int, type: str, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.status, self.type, self.detail, self.members = status, type, detail, members


class DependencyUnavailable(Exception):
    """Another service does not answer: 503 with Retry-After, and nothing is half written."""


@dataclass(frozen=True, slots=True)
class Sku:
    """A SKU as the catalogue has it now; ``price`` includes VAT."""

    sku: str
    price: Money
    product_id: str = ""
    title: str = ""
    slug: str = ""
    image: Any = None
    tax_class: str = "standard"
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cart:
    """A cart in one version; ``lines`` maps a SKU to its quantity."""

    id: str
    version: int
    account_id: str | None
    lines: dict[str, int]


class ReservationStatus(StrEnum):
    """The status of an order's units according to the order."""

    HELD = "held"
    COMMITTED = "committed"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class ExpectedReservation:
    """The reservation that the stock should have for an order.

    ``since`` is when the units got this status; ``sold_at`` is when returned units had been sold.
    """

    hold_id: str
    status: ReservationStatus
    lines: dict[str, int]
    since: datetime
    sold_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """A correction that the catalogue made: ``held``, ``committed``, ``released`` or ``returned``.

    Where it could not, ``outcome`` is the reason: ``short``, ``was-released`` or ``unknown-sku``.
    """

    hold_id: str
    sku: str
    outcome: str


@dataclass(frozen=True, slots=True)
class StockSnapshot:
    """The stock of a SKU in the catalogue; ``holds`` maps a hold id to (status, quantity)."""

    sku: str
    available: int
    holds: dict[str, tuple[ReservationStatus, int]]


class Catalog(Protocol):
    """The catalogue. All methods are idempotent and may raise DependencyUnavailable."""

    def skus(self, skus: Sequence[str]) -> dict[str, Sku]:
        """Return those of ``skus`` that exist and are for sale."""
        ...

    def reserve(self, order_id: str, lines: Mapping[str, int]) -> None:
        """Reserve all lines or none.

        Raises RuleViolation: 409 out-of-stock with ``short``, or 422 unknown-sku.
        """
        ...

    def commit(self, order_id: str, lines: Mapping[str, int]) -> None:
        """Mark the reserved units as sold."""
        ...

    def release(self, order_id: str, lines: Mapping[str, int], *, sold: bool = False) -> None:
        """Put reserved or sold units back; a later ``reserve`` under this id is refused.

        Pass ``sold`` if the order is known to be committed: its units go back even if the catalogue has
        forgotten the commit.
        """
        ...

    def correct(self, expected: Sequence[ExpectedReservation]) -> list[Correction]:
        """Correct the stock, as after a restore, and return the changes. At most 200 at once."""
        ...

    def stock_snapshots(self) -> Iterator[StockSnapshot]:
        """Iterate over the stock, SKU by SKU."""
        ...


class Carts(Protocol):
    """The carts. All methods are idempotent and may raise DependencyUnavailable."""

    def get(self, cart_id: str) -> Cart | None: ...

    def claim(self, cart_id: str, order_id: str, version: int) -> None:
        """Claim the cart for the order.

        Raises RuleViolation (409 cart-claimed) if another live order holds it or it has changed.
        """
        ...

    def unclaim(self, cart_id: str, order_id: str) -> None: ...

    def remove_ordered(self, cart_id: str, order_id: str, lines: Mapping[str, int]) -> None:
        """Remove the ordered units from the cart, and nothing else."""
        ...
