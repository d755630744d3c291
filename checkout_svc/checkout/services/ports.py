"""What the use cases ask of the world around them; ``wiring.py`` gives them the real thing, tests a fake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from ..domain import Money


class Refusal(Exception):
    """A rule says no. ``type`` is the problem's slug, ``members`` go into the answer beside it."""

    def __init__(self, status: int, type: str, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.status, self.type, self.detail, self.members = status, type, detail, members


class Away(Exception):
    """A sibling does not answer: 503 with Retry-After, and nothing half-written."""


@dataclass(frozen=True, slots=True)
class Sku:
    """What the catalogue's documents say of a SKU just now; ``price`` includes VAT."""

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


class Fate(StrEnum):
    """What an order's units are, as the order has it."""

    HELD = "held"
    COMMITTED = "committed"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Truth:
    """What the catalogue is told of an order's units. ``since`` is when they became so, ``sold_at`` when
    units that came back had been sold."""

    hold_id: str
    fate: Fate
    lines: dict[str, int]
    since: datetime
    sold_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """What the catalogue did about it: ``held``, ``committed``, ``released``, ``returned``; or why it could
    not: ``short``, ``was-released``, ``unknown-sku``."""

    hold_id: str
    sku: str
    outcome: str


@dataclass(frozen=True, slots=True)
class StockBook:
    """A SKU as the catalogue has it: ``holds`` maps a hold's id to (fate, quantity)."""

    sku: str
    available: int
    holds: dict[str, tuple[Fate, int]]


class Catalog(Protocol):
    """All may raise Away; all may be repeated at will."""

    def skus(self, skus: Sequence[str]) -> dict[str, Sku]:
        """Those of ``skus`` that exist and are for sale."""
        ...

    def reserve(self, order_id: str, lines: Mapping[str, int]) -> None:
        """All of it or nothing: Refusal 409 out-of-stock with ``short``, or 422 unknown-sku."""
        ...

    def commit(self, order_id: str, lines: Mapping[str, int]) -> None:
        """What was reserved is sold."""
        ...

    def release(self, order_id: str, lines: Mapping[str, int], *, sold: bool = False) -> None:
        """What was reserved or sold is on hand again; a later ``reserve`` under this id is refused.

        ``sold``: it is known to be committed, so it goes back also if the catalogue has forgotten that."""
        ...

    def correct(self, truths: Sequence[Truth]) -> list[Correction]:
        """Make the stock agree, as after a restore; only what there is to say. At most 200 at once."""
        ...

    def books(self) -> Iterator[StockBook]:
        """All stock, SKU by SKU."""
        ...


class Carts(Protocol):
    """All may raise Away; all may be repeated at will."""

    def get(self, cart_id: str) -> Cart | None: ...

    def claim(self, cart_id: str, order_id: str, version: int) -> None:
        """Refusal 409 cart-claimed when another live order holds it, or it has changed."""
        ...

    def unclaim(self, cart_id: str, order_id: str) -> None: ...

    def settle(self, cart_id: str, order_id: str, lines: Mapping[str, int]) -> None:
        """Take out what was bought, and only that."""
        ...
