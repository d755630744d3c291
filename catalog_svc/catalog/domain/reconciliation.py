"""Rules that bring the stock of one SKU in line with the orders after a restore or a promotion.

Repeating them changes nothing. Orders finished long ago have left no mark in the stock; the marks are
complete from `pruned_before` on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from catalog.domain.stock import FINISHED_RETENTION, FinishedReservation, Hold, Stock

_HOLD_DURATION = timedelta(minutes=15)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ReservationStatus(StrEnum):
    """State of an order's units."""

    HELD = "held"
    COMMITTED = "committed"
    RELEASED = "released"


class ReconciliationOutcome(StrEnum):
    """Correction that was made; the last two cannot be repaired here."""

    NOTHING = ""
    HELD = "held"
    COMMITTED = "committed"
    RELEASED = "released"
    RETURNED = "returned"
    SHORT = "short"
    WAS_RELEASED = "was-released"


@dataclass(frozen=True, slots=True)
class ExpectedReservation:
    """State of an order's units of one SKU according to the order.

    `since` is when that state began, `sold_at` when units that came back had been sold.
    """

    order_id: str
    status: ReservationStatus
    quantity: int
    since: datetime
    sold_at: datetime | None = None


def reconcile_stock(stock: Stock, expected: ExpectedReservation, now: datetime) -> ReconciliationOutcome:
    """Bring the stock in line with the expected reservation, and return the correction made.

    A committed order is taken from the shelf even if too few units are there: they are sold.
    """
    change = {
        ReservationStatus.HELD: _held,
        ReservationStatus.COMMITTED: _committed,
        ReservationStatus.RELEASED: _released,
    }[expected.status]
    return change(stock, expected, now)


def _held(stock: Stock, expected: ExpectedReservation, now: datetime) -> ReconciliationOutcome:
    done = stock.finished.get(expected.order_id)
    if done is not None:
        return ReconciliationOutcome.WAS_RELEASED if done.how == "released" else ReconciliationOutcome.NOTHING
    if expected.order_id in stock.reservations:
        return ReconciliationOutcome.NOTHING
    if stock.available < expected.quantity:
        return ReconciliationOutcome.SHORT
    stock.reservations[expected.order_id] = Hold(expected.quantity, now + _HOLD_DURATION)
    return ReconciliationOutcome.HELD


def _committed(stock: Stock, expected: ExpectedReservation, now: datetime) -> ReconciliationOutcome:
    done = stock.finished.get(expected.order_id)
    if done is not None:
        return ReconciliationOutcome.WAS_RELEASED if done.how == "released" else ReconciliationOutcome.NOTHING
    hold = stock.reservations.pop(expected.order_id, None)
    if hold is None and expected.since < _marks_complete_since(stock):
        return ReconciliationOutcome.NOTHING
    stock.on_hand -= expected.quantity
    stock.finished[expected.order_id] = FinishedReservation("committed", expected.quantity, now)
    return ReconciliationOutcome.COMMITTED


def _released(stock: Stock, expected: ExpectedReservation, now: datetime) -> ReconciliationOutcome:
    done = stock.finished.get(expected.order_id)
    if done is not None and done.how == "released":
        return ReconciliationOutcome.NOTHING
    hold = stock.reservations.pop(expected.order_id, None)
    if hold is not None:
        stock.finished[expected.order_id] = FinishedReservation("released", hold.quantity, now)
        return ReconciliationOutcome.RELEASED
    complete = _marks_complete_since(stock)
    forgotten = expected.since >= complete and expected.sold_at is not None and expected.sold_at < complete
    back = done.quantity if done else expected.quantity if forgotten else 0
    if not back:
        return ReconciliationOutcome.NOTHING
    stock.on_hand += back
    stock.finished[expected.order_id] = FinishedReservation("released", 0, now)
    return ReconciliationOutcome.RETURNED


def _marks_complete_since(stock: Stock) -> datetime:
    """Return the moment from which on every finished order has its mark."""
    if stock.pruned_before is not None:
        return stock.pruned_before
    # Last written by a version without this field.
    return (
        max((done.at for done in stock.finished.values()), default=_EPOCH + FINISHED_RETENTION)
        - FINISHED_RETENTION
    )
