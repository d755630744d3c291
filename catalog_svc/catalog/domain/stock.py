"""Units of one SKU: what is there, and for which orders it is kept (design/checkout.md, "Stock").

A reservation's id is the order's, so each call may be repeated at will. Finished orders stay for a day as
tombstones, so that a late `reserve` after its `release` is refused; who cancels an order that was committed
before that says how much of it was sold. The catalogue never frees by the clock: checkout
releases.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from catalog.domain.availability import Availability, availability_of
from catalog.domain.rules import RuleBroken

KEEP_FINISHED = timedelta(hours=24)
MAX_ON_HAND = 1_000_000_000


class ShortOf(Exception):
    """Too few units: `available` of `sku` are left."""

    def __init__(self, sku: str, available: int) -> None:
        super().__init__(sku)
        self.sku = sku
        self.available = available


class Released(Exception):
    """The order's reservation was released before; it cannot be made or committed any more."""


class UnknownReservation(Exception):
    """There is no reservation of this order to commit."""


@dataclass(slots=True)
class Hold:
    """Units kept for an order. `until` only says when checkout ought to have looked."""

    quantity: int
    until: datetime


@dataclass(slots=True)
class Finished:
    """What became of an order's reservation: `committed` or `released`."""

    how: str
    quantity: int
    at: datetime


@dataclass(slots=True)
class Stock:
    """`id` is the SKU; `on_hand` counts units not yet sold, reserved ones included."""

    id: str
    product_id: str = ""
    on_hand: int = 0
    reservations: dict[str, Hold] = field(default_factory=dict)
    finished: dict[str, Finished] = field(default_factory=dict)
    reason: str = ""
    pruned_before: datetime | None = None
    """of orders that were finished before this there may be no mark any more"""
    version: int = 0
    rev: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    event_seq: int = 0
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def sku(self) -> str:
        return self.id

    @property
    def reserved(self) -> int:
        return sum(hold.quantity for hold in self.reservations.values())

    @property
    def available(self) -> int:
        return self.on_hand - self.reserved

    @property
    def availability(self) -> Availability:
        return availability_of(self.available)

    def reserve(self, order_id: str, quantity: int, until: datetime) -> bool:
        """Keep `quantity` for the order; False when it was kept (or sold) already. Raises `ShortOf`,
        `Released`.
        """
        done = self.finished.get(order_id)
        if done is not None and done.how == "released":
            raise Released(order_id)
        if done is not None or order_id in self.reservations:
            return False
        if self.available < quantity:
            raise ShortOf(self.id, max(self.available, 0))
        self.reservations[order_id] = Hold(quantity, until)
        return True

    def forget(self, order_id: str) -> bool:
        """Undo a reservation of a call that failed elsewhere: no tombstone, the order may try again."""
        return self.reservations.pop(order_id, None) is not None

    def commit(self, order_id: str, at: datetime) -> bool:
        """The order is paid: its units leave the shelf's count. Raises `Released`, `UnknownReservation`."""
        done = self.finished.get(order_id)
        if done is not None:
            if done.how == "released":
                raise Released(order_id)
            return False
        hold = self.reservations.pop(order_id, None)
        if hold is None:
            raise UnknownReservation(order_id)
        self.on_hand -= hold.quantity
        self.finished[order_id] = Finished("committed", hold.quantity, at)
        return True

    def release(self, order_id: str, at: datetime, *, sold: int = 0) -> bool:
        """Give the units back and remember it; those of a committed (then cancelled) order return to the
        shelf. `sold` is how many units its caller knows to be committed: they return also when the order's
        mark was pruned meanwhile, and count for nothing while its hold or its mark is here.
        """
        done = self.finished.get(order_id)
        if done is not None and done.how == "released":
            return False
        hold = self.reservations.pop(order_id, None)
        quantity = hold.quantity if hold else 0
        if hold is None:
            self.on_hand += done.quantity if done else sold
        self.finished[order_id] = Finished("released", quantity, at)
        return True

    def count(self, on_hand: int, reason: str = "counted") -> None:
        """Set the count, as after a stocktaking. Fewer than reserved is refused: those units are promised."""
        if on_hand < self.reserved:
            raise RuleBroken(
                "stock-reserved", f"{self.reserved} units are reserved; the count cannot be lower."
            )
        if on_hand > MAX_ON_HAND:
            raise RuleBroken("stock-too-large", f"{MAX_ON_HAND} units are the most that can be counted.")
        self.on_hand, self.reason = on_hand, reason
        self.version += 1

    def adjust(self, delta: int, reason: str) -> None:
        """Add or take away units: a delivery, breakage, a return."""
        if self.on_hand + delta < 0:
            raise RuleBroken("stock-negative", "There are fewer units than that.")
        self.count(self.on_hand + delta, reason)

    def prune(self, at: datetime) -> None:
        """Drop what was finished more than a day ago."""
        limit = self.pruned_before = at - KEEP_FINISHED
        self.finished = {order: done for order, done in self.finished.items() if done.at > limit}
