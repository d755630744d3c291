"""The fields of an order, what derives from them, and leases; order.py has the transitions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from .address import Address
from .totals import Line, Totals
from .value_objects import (
    CartRef,
    Lease,
    NotAllowed,
    OrderStatus,
    PaymentState,
    Refund,
    Shipment,
    Step,
    StoredResponse,
    TimelineEntry,
)

# An order takes well below a second; a slow one may be overtaken safely.
LEASE_DURATION = timedelta(seconds=10)
STUCK_AFTER = 5  # attempts; then staff see the order, and it is still retried
MAX_RETRY_SECONDS = 15  # seconds
MAIL_RETRY_DELAY = timedelta(seconds=30)
MAX_PAYMENT_POLL_INTERVAL = timedelta(seconds=60)  # between two checks of an open payment


@dataclass(slots=True)
class OrderState:
    """The stored fields of an order.

    ``id`` is the public order number. ``wake_at`` is the time of the next attempt by the recovery job; None
    means that nothing is left to do. ``tries`` counts the failed attempts, ``trouble`` is the last error, and
    ``undoing`` the reason of a compensation or cancellation.
    """

    id: str
    fingerprint: str
    email: str
    shipping_address: Address
    shipping_method: str
    lines: tuple[Line, ...]
    totals: Totals
    payment: PaymentState
    placed_at: datetime
    account_id: str | None = None
    session_id: str | None = None
    cart: CartRef | None = None
    billing_address: Address | None = None
    status: OrderStatus = OrderStatus.PENDING
    accepted: bool = False
    attempt: int = 1
    undoing: str = ""
    answer: StoredResponse | None = None
    committed: bool = False
    settled: bool = False
    delivered_at: datetime | None = None
    shipments: tuple[Shipment, ...] = ()
    refunds: tuple[Refund, ...] = ()
    timeline: tuple[TimelineEntry, ...] = ()
    mail_due: bool = False
    mailed_at: datetime | None = None
    lease: Lease | None = None
    wake_at: datetime | None = None
    tries: int = 0
    stuck: bool = False
    trouble: str = ""
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    event_seq: int = 0

    # -- derived values ----------------------------------------------------------------------------
    @property
    def hold_id(self) -> str:
        """Return the id under which carts and catalogue know this order.

        They refuse to reserve again for a released id, so a restarted order gets a new one.
        """
        return self.id if self.attempt == 1 else f"{self.id}.{self.attempt}"

    @property
    def next_hold_id(self) -> str:
        return f"{self.id}.{self.attempt + 1}"

    @property
    def quantities(self) -> dict[str, int]:
        return {line.sku: line.quantity for line in self.lines}

    @property
    def owed_refunds(self) -> tuple[Refund, ...]:
        """Return the refunds whose result is not known yet."""
        return tuple(refund for refund in self.refunds if refund.is_open)

    @property
    def next_step(self) -> Step | None:
        if self.status is OrderStatus.PENDING:
            return Step.COMPENSATE if self.undoing else Step.PAY
        if self.status is OrderStatus.CONFIRMED and not (self.committed and self.settled):
            return Step.FINISH
        if self.status is OrderStatus.CONFIRMED and self.undoing:
            return Step.CANCEL
        if self.owed_refunds:
            return Step.REFUND
        return Step.MAIL if self.mail_due else None

    # -- leases and retries: they move the revision, not the version -------------------------------
    def acquire_lease(self, by: str, now: datetime) -> bool:
        """Reserve the order for ``by`` until ``now + LEASE_DURATION``; return False if another holds it."""
        if self.lease and self.lease.until > now and self.lease.by != by:
            return False
        self.lease = Lease(by, now + LEASE_DURATION)
        self.wake_at = self.lease.until
        return True

    def release_lease(self, now: datetime) -> None:
        """Release the lease after successful work and set the time of the next attempt."""
        self.lease, self.tries, self.stuck, self.trouble = None, 0, False, ""
        asking = max(timedelta(seconds=2), min((now - self.placed_at) / 10, MAX_PAYMENT_POLL_INTERVAL))
        delay = {None: None, Step.MAIL: MAIL_RETRY_DELAY, Step.PAY: asking}.get(self.next_step, timedelta(0))
        self.wake_at = None if delay is None else now + delay

    def schedule_retry(self, now: datetime, trouble: str) -> None:
        """Release the lease and retry with exponential backoff, up to MAX_RETRY_SECONDS.

        After STUCK_AFTER attempts staff see the order as stuck; it is still retried.
        """
        self.lease, self.trouble = None, trouble
        self.wake_at = now + timedelta(seconds=min(2**self.tries, MAX_RETRY_SECONDS))
        self.tries += 1
        self.stuck = self.tries >= STUCK_AFTER

    # -- helpers of transitions --------------------------------------------------------------------
    def _add_to_timeline(self, at: datetime, what: str) -> None:
        self.timeline += (TimelineEntry(at, what),)
        self.version += 1

    @staticmethod
    def _require(holds: bool, type: str, detail: str) -> None:
        if not holds:
            raise NotAllowed(type, detail)
