"""Small documents beside the aggregates: claims of unique names, purchases, reviews, repairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(slots=True)
class Claim:
    """Claim of a unique name, which is the document's id; `owner` is the id of the product."""

    id: str
    owner: str
    at: datetime
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


#: Number of index repairs that are stored.
MAX_REPAIRS = 50


@dataclass(frozen=True, slots=True)
class IndexRepair:
    """Repaired entry of the search index.

    `fault` is `missing`, `unlisted`, `duplicate` or `stale`; `replica` is the process that found it in its
    index.
    """

    product_id: str
    fault: str
    details: str
    replica: str
    at: datetime


@dataclass(slots=True)
class IndexRepairs:
    """Latest repairs of all replicas, newest first, and the total number of repairs ever made."""

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
    """Confirmed order, for popularity and verified reviews; `id` is the order's id."""

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
    """Review of a product; `id` is made of product and account, so each shopper has one per product."""

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
        """Remove the person and keep the text."""
        self.account_id, self.author = None, ""
        self.version += 1
