"""After a restore or a promotion: what the orders say is made true of a SKU that is older or newer than they.

Repeating it changes nothing. What was finished long ago has left no mark in the stock; that it is included is
told by `pruned_before`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from catalog.domain.stock import KEEP_FINISHED, Finished, Hold, Stock

_LOOK_AFTER = timedelta(minutes=15)
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


class How(StrEnum):
    """What has become of an order's units."""

    HELD = "held"
    COMMITTED = "committed"
    RELEASED = "released"


class Outcome(StrEnum):
    """What was done about it; the last two cannot be mended here."""

    NOTHING = ""
    HELD = "held"
    COMMITTED = "committed"
    RELEASED = "released"
    RETURNED = "returned"
    SHORT = "short"
    WAS_RELEASED = "was-released"


@dataclass(frozen=True, slots=True)
class Truth:
    """What an order says of its units of one SKU. `since` is when that became so, `sold_at` when units that
    came back had been sold.
    """

    order_id: str
    how: How
    quantity: int
    since: datetime
    sold_at: datetime | None = None


def correct(stock: Stock, truth: Truth, now: datetime) -> Outcome:
    """Make it so. A committed order is taken from the shelf even if too few are there: they are sold."""
    change = {How.HELD: _held, How.COMMITTED: _committed, How.RELEASED: _released}[truth.how]
    return change(stock, truth, now)


def _held(stock: Stock, truth: Truth, now: datetime) -> Outcome:
    done = stock.finished.get(truth.order_id)
    if done is not None:
        return Outcome.WAS_RELEASED if done.how == "released" else Outcome.NOTHING
    if truth.order_id in stock.reservations:
        return Outcome.NOTHING
    if stock.available < truth.quantity:
        return Outcome.SHORT
    stock.reservations[truth.order_id] = Hold(truth.quantity, now + _LOOK_AFTER)
    return Outcome.HELD


def _committed(stock: Stock, truth: Truth, now: datetime) -> Outcome:
    done = stock.finished.get(truth.order_id)
    if done is not None:
        return Outcome.WAS_RELEASED if done.how == "released" else Outcome.NOTHING
    hold = stock.reservations.pop(truth.order_id, None)
    if hold is None and truth.since < _complete_since(stock):
        return Outcome.NOTHING
    stock.on_hand -= truth.quantity
    stock.finished[truth.order_id] = Finished("committed", truth.quantity, now)
    return Outcome.COMMITTED


def _released(stock: Stock, truth: Truth, now: datetime) -> Outcome:
    done = stock.finished.get(truth.order_id)
    if done is not None and done.how == "released":
        return Outcome.NOTHING
    hold = stock.reservations.pop(truth.order_id, None)
    if hold is not None:
        stock.finished[truth.order_id] = Finished("released", hold.quantity, now)
        return Outcome.RELEASED
    complete = _complete_since(stock)
    forgotten = truth.since >= complete and truth.sold_at is not None and truth.sold_at < complete
    back = done.quantity if done else truth.quantity if forgotten else 0
    if not back:
        return Outcome.NOTHING
    stock.on_hand += back
    stock.finished[truth.order_id] = Finished("released", 0, now)
    return Outcome.RETURNED


def _complete_since(stock: Stock) -> datetime:
    """From when on every finished order has its mark."""
    if stock.pruned_before is not None:
        return stock.pruned_before
    # Written last by a version that did not note it.
    return max((done.at for done in stock.finished.values()), default=_EVER + KEEP_FINISHED) - KEEP_FINISHED
