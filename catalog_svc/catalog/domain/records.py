"""Small documents beside the aggregates: claims of unique names, purchases heard of, reviews."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(slots=True)
class Claim:
    """A unique name is a document's id; `owner` is the product that holds it."""

    id: str
    owner: str
    at: datetime
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


#: Repairs of the index that are remembered.
MAX_REPAIRS = 50


@dataclass(frozen=True, slots=True)
class IndexRepair:
    """An entry of the search index that differed from its document: `missing`, `unlisted`, `duplicate` or
    `stale`. `replica` is the process that found it in its own index.
    """

    product_id: str
    fault: str
    details: str
    replica: str
    at: datetime


@dataclass(slots=True)
class IndexRepairs:
    """The latest repairs of all replicas, newest first, and how many there ever were."""

    id: str
    total: int = 0
    latest: tuple[IndexRepair, ...] = ()
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def record(self, repairs: Sequence[IndexRepair]) -> None:
        self.total += len(repairs)
        self.latest = (*repairs, *self.latest)[:MAX_REPAIRS]
        self.version += 1


@dataclass(slots=True)
class Purchase:
    """A confirmed order as the catalogue needs it: what is popular, and who really bought. `id` is the
    order.
    """

    id: str
    quantities: dict[str, int]
    at: datetime
    account_id: str | None = None
    cancelled: bool = False
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Review:
    """`id` is made of product and account: one per shopper and product."""

    id: str
    product_id: str
    account_id: str | None
    author: str
    rating: int
    title: str
    body: str
    at: datetime
    verified_purchase: bool = False
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def anonymise(self) -> None:
        """The words stay, the person goes."""
        self.account_id, self.author = None, ""
        self.version += 1
