"""Stock of one SKU: units on hand, and the orders that they are reserved for.

A reservation's id is the order's, so each call may be repeated. Finished orders stay for a day as
tombstones, so that a late `reserve` after its `release` is refused; to cancel an order that was committed
longer ago, the caller says how many units were sold. Reservations never expire by the clock: checkout
releases them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from catalog.domain.availability import Availability, availability_of
from catalog.domain.errors import RuleViolation

FINISHED_RETENTION = timedelta(hours=24)
MAX_ON_HAND = 1_000_000_000


class InsufficientStock(Exception):
    """Too few units: only `available` of `sku` are left."""

    def __init__(self, sku: str, available: int) -> None:
        super().__init__(sku)
        self.sku = sku
        self.available = available


class ReservationReleased(Exception):
    """The order's reservation was released, so it can no longer be made or committed."""


class UnknownReservation(Exception):
    """The order has no reservation to commit."""


@dataclass(slots=True)
class Hold:
    """Units reserved for an order; after `until` checkout should have finished with it."""

    quantity: int
    until: datetime


@dataclass(slots=True)
class FinishedReservation:
    """Tombstone of a reservation; `how` is `committed` or `released`."""

    how: str
    quantity: int
    at: datetime


@dataclass(slots=True)
class Stock:
    """Stock of an SKU, which is the `id`; `on_hand` counts unsold units, reserved ones included."""

    id: str
    product_id: str = ""
    on_hand: int = 0
    reservations: dict[str, Hold] = field(default_factory=dict)
    finished: dict[str, FinishedReservation] = field(default_factory=dict)
    reason: str = ""
    pruned_before: datetime | None = None
    """Orders finished before this may have no mark any more."""
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
        """Reserve `quantity` for the order; return False if it was reserved or sold already.

        Raises `InsufficientStock` and `ReservationReleased`.
        """
        done = self.finished.get(order_id)
        if done is not None and done.how == "released":
            raise ReservationReleased(order_id)
        if done is not None or order_id in self.reservations:
            return False
        if self.available < quantity:
            raise InsufficientStock(self.id, max(self.available, 0))
        self.reservations[order_id] = Hold(quantity, until)
        return True

    def cancel_hold(self, order_id: str) -> bool:
        """Undo a reservation whose order failed at another SKU.

        It leaves no tombstone, so the order may try again.
        """
        return self.reservations.pop(order_id, None) is not None

    def commit(self, order_id: str, at: datetime) -> bool:
        """Take the units of a paid order off the shelf; return False if that was done already.

        Raises `ReservationReleased` and `UnknownReservation`.
        """
        done = self.finished.get(order_id)
        if done is not None:
            if done.how == "released":
                raise ReservationReleased(order_id)
            return False
        hold = self.reservations.pop(order_id, None)
        if hold is None:
            raise UnknownReservation(order_id)
        self.on_hand -= hold.quantity
        self.finished[order_id] = FinishedReservation("committed", hold.quantity, at)
        return True

    def release(self, order_id: str, at: datetime, *, sold: int = 0) -> bool:
        """Return the order's units and leave a tombstone; return False if that was done already.

        Units of a committed, then cancelled order return to the shelf. `sold` is the number of units that
        the caller knows to be committed: they return also if the order's mark was pruned meanwhile, and are
        ignored while its hold or its mark is here.
        """
        done = self.finished.get(order_id)
        if done is not None and done.how == "released":
            return False
        hold = self.reservations.pop(order_id, None)
        quantity = hold.quantity if hold else 0
        if hold is None:
            self.on_hand += done.quantity if done else sold
        self.finished[order_id] = FinishedReservation("released", quantity, at)
        return True

    def set_on_hand(self, on_hand: int, reason: str = "counted") -> None:
        """Set the number of units, as after a stocktaking.

        Fewer units than are reserved are refused, because those are promised.
        """
        if on_hand < self.reserved:
            raise RuleViolation(
                "stock-reserved", f"{self.reserved} units are reserved; the count cannot be lower."
            )
        if on_hand > MAX_ON_HAND:
            raise RuleViolation("stock-too-large", f"{MAX_ON_HAND} units are the most that can be counted.")
        self.on_hand, self.reason = on_hand, reason
        self.version += 1

    def adjust(self, delta: int, reason: str) -> None:
        """Add or remove units: a delivery, breakage, a return."""
        if self.on_hand + delta < 0:
            raise RuleViolation("stock-negative", "There are fewer units than that.")
        self.set_on_hand(self.on_hand + delta, reason)

    def prune(self, at: datetime) -> None:
        """Drop the tombstones that are older than a day."""
        limit = self.pruned_before = at - FINISHED_RETENTION
        self.finished = {order: done for order, done in self.finished.items() if done.at > limit}
