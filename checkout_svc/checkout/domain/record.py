"""What an order holds, what follows from it, and who works on it just now; order.py says how it changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from .parts import (
    Answer,
    CartRef,
    Happening,
    Lease,
    NotAllowed,
    OrderStatus,
    PaymentState,
    Refund,
    Shipment,
    Step,
)
from .places import Address
from .totals import Line, Totals

LEASE = timedelta(seconds=10)  # an order takes well below a second; a slow one may be overtaken, safely
STUCK_AFTER = 5  # tries; then staff are shown the order, and it is still tried again
SLOWEST_RETRY = 15  # seconds
MAIL_AGAIN = timedelta(seconds=30)
ASK_AT_MOST = timedelta(seconds=60)  # between two looks at a payment that is still open


@dataclass(slots=True)
class OrderRecord:
    """``id`` is the public number. ``wake_at`` says when the sweeper looks next; None means nothing is left
    to do."""

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
    answer: Answer | None = None
    committed: bool = False
    settled: bool = False
    delivered_at: datetime | None = None
    shipments: tuple[Shipment, ...] = ()
    refunds: tuple[Refund, ...] = ()
    timeline: tuple[Happening, ...] = ()
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

    # -- what others call it -----------------------------------------------------------------------
    @property
    def hold_id(self) -> str:
        """What cart and catalogue know this order by. They refuse to hold again for an id that was let go of,
        so an order that was abandoned and is placed again holds under a new one."""
        return self.id if self.attempt == 1 else f"{self.id}.{self.attempt}"

    @property
    def next_hold_id(self) -> str:
        return f"{self.id}.{self.attempt + 1}"

    @property
    def quantities(self) -> dict[str, int]:
        return {line.sku: line.quantity for line in self.lines}

    @property
    def owed_refunds(self) -> tuple[Refund, ...]:
        """What is to be paid back and is not known to be."""
        return tuple(refund for refund in self.refunds if refund.is_open)

    @property
    def next_step(self) -> Step | None:
        if self.status is OrderStatus.PENDING:
            return Step.UNDO if self.undoing else Step.PAY
        if self.status is OrderStatus.CONFIRMED and not (self.committed and self.settled):
            return Step.FINISH
        if self.status is OrderStatus.CONFIRMED and self.undoing:
            return Step.CANCEL
        if self.owed_refunds:
            return Step.REFUND
        return Step.MAIL if self.mail_due else None

    # -- leases and retries: they move the revision, not the version -------------------------------
    def take(self, by: str, now: datetime) -> bool:
        """Whether ``by`` may work on it until ``now + LEASE``; false while someone else does."""
        if self.lease and self.lease.until > now and self.lease.by != by:
            return False
        self.lease = Lease(by, now + LEASE)
        self.wake_at = self.lease.until
        return True

    def rest(self, now: datetime) -> None:
        """Work on it is over for now, well done; what is left is looked at when its time comes."""
        self.lease, self.tries, self.stuck, self.trouble = None, 0, False, ""
        asking = max(timedelta(seconds=2), min((now - self.placed_at) / 10, ASK_AT_MOST))
        delay = {None: None, Step.MAIL: MAIL_AGAIN, Step.PAY: asking}.get(self.next_step, timedelta(0))
        self.wake_at = None if delay is None else now + delay

    def try_again(self, now: datetime, trouble: str) -> None:
        """Later, ever later up to SLOWEST_RETRY, and shown to staff after STUCK_AFTER tries."""
        self.lease, self.trouble = None, trouble
        self.wake_at = now + timedelta(seconds=min(2**self.tries, SLOWEST_RETRY))
        self.tries += 1
        self.stuck = self.tries >= STUCK_AFTER

    # -- parts of every transition -----------------------------------------------------------------
    def _happened(self, at: datetime, what: str) -> None:
        self.timeline += (Happening(at, what),)
        self.version += 1

    @staticmethod
    def _need(holds: bool, type: str, detail: str) -> None:
        if not holds:
            raise NotAllowed(type, detail)
