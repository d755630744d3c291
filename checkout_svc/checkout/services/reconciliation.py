"""Reconciliation of orders, stock and payments after a restore or a promotion, before sales open.

The order decides about its units, so the stock follows it. The provider decides about money, and a person
must resolve what order and provider disagree on. Pending orders are left to the recovery job. A second
run changes nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from chassis.couch import Repository

from ..domain import CapturedPayment, Order, OrderStatus, PaymentProvider
from .ports import Catalog, Correction, ExpectedReservation, ReservationStatus

_BATCH = 100
_DONE = ("held", "committed", "released", "returned")
_STOCK_WAS_RELEASED = "stock-was-released"


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding that a person must resolve; ``about`` is an order, a payment or a SKU."""

    kind: str
    about: str
    detail: str


@dataclass(slots=True)
class Report:
    """The result of a reconciliation: what was checked, corrected, and found for a person to resolve.

    ``waiting`` counts pending orders, which the recovery job resumes.
    """

    orders: int = 0
    payments: int = 0
    skus: int = 0
    waiting: int = 0
    changes: list[Correction] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


class Reconciler:
    """Compares all orders, stock and payments; it keeps one line per order and payment in memory."""

    def __init__(
        self,
        orders: Repository[Order],
        payments: PaymentProvider,
        catalog: Catalog,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._orders, self._payments, self._catalog, self._clock = orders, payments, catalog, clock

    def run(self) -> Report:
        """Reconcile everything and return the report.

        Raises DependencyUnavailable, ProviderDown and the repository's errors; it can then be run again.
        """
        report = Report()
        captured = {payment.payment_id: payment for payment in self._payments.captured_payments()}
        report.payments = len(captured)
        known: dict[str, str] = {}  # hold -> payment, of the attempt that counts
        for batch in self._batches():
            expected = []
            for order in batch:
                known[order.hold_id] = order.payment.id
                report.orders += 1
                report.waiting += order.status is OrderStatus.PENDING
                report.findings += find_payment_mismatches(order, captured.get(order.payment.id))
                expected += expected_reservations(order, self._clock())
            self._correct_stock(expected, {order.hold_id: order for order in batch}, captured, report)
        paid_for = set(known.values())
        for payment in captured.values():
            if payment.net and payment.payment_id not in paid_for:
                detail = f"{payment.net} minor units were taken and there is no order"
                report.findings.append(Finding("captured-without-order", payment.payment_id, detail))
        self._check_stock(known, captured, report)
        return report

    def _batches(self) -> Iterator[list[Order]]:
        cursor: str | None = None
        while True:
            page = self._orders.find("id", limit=_BATCH, cursor=cursor)
            if page.items:
                yield page.items
            if page.next is None:
                return
            cursor = page.next

    def _correct_stock(
        self,
        expected: list[ExpectedReservation],
        orders: dict[str, Order],
        captured: dict[str, CapturedPayment],
        report: Report,
    ) -> None:
        released: set[str] = set()
        for correction in self._catalog.correct(expected) if expected else []:
            order = orders[correction.hold_id]
            if correction.outcome in _DONE:
                report.changes.append(correction)
            elif correction.outcome == "was-released":
                released.add(correction.hold_id)
            elif order.status is not OrderStatus.PENDING:  # a pending one finds out by itself
                detail = f"{correction.sku}: {correction.outcome}"
                report.findings.append(Finding("not-in-stock", order.id, detail))
        for hold_id in sorted(released):
            self._compensate_released(orders[hold_id], captured, report)

    def _compensate_released(
        self, order: Order, captured: dict[str, CapturedPayment], report: Report
    ) -> None:
        """Compensate a pending order whose units the stock has released already."""
        payment = captured.get(order.payment.id)
        if order.status is OrderStatus.CONFIRMED or (payment and payment.net):
            detail = "its units were given back, so it was cancelled before the orders were lost"
            report.findings.append(Finding("released-but-confirmed", order.id, detail))
            return

        def change(fresh: Order) -> None:
            fresh.begin_compensation(_STOCK_WAS_RELEASED)
            fresh.wake_at = self._clock()

        self._orders.update(order.id, change)
        report.changes.append(Correction(order.hold_id, "", "undone"))

    def _check_stock(
        self, known: dict[str, str], captured: dict[str, CapturedPayment], report: Report
    ) -> None:
        """Release units of unknown orders that nobody paid for, and report oversold SKUs."""
        lost: list[ExpectedReservation] = []
        short: set[str] = set()
        for snapshot in self._catalog.stock_snapshots():
            report.skus += 1
            if snapshot.available < 0:
                short.add(snapshot.sku)
            for hold_id, (status, quantity) in snapshot.holds.items():
                paid = captured.get(self._payments.id_for(hold_id))
                if (
                    hold_id not in known
                    and status is not ReservationStatus.RELEASED
                    and not (paid and paid.net)
                ):
                    lost.append(
                        ExpectedReservation(
                            hold_id, ReservationStatus.RELEASED, {snapshot.sku: quantity}, self._clock()
                        )
                    )
        for start in range(0, len(lost), _BATCH):
            report.changes += self._catalog.correct(lost[start : start + _BATCH])
        for snapshot in self._catalog.stock_snapshots() if short else []:
            if snapshot.available < 0:
                detail = f"{-snapshot.available} more are sold or held than there are"
                report.findings.append(Finding("oversold", snapshot.sku, detail))


def expected_reservations(order: Order, now: datetime) -> list[ExpectedReservation]:
    """Return the reservation that the stock should have for an order; none during a compensation."""
    confirmed = _last_time(order, "confirmed")
    if order.status is OrderStatus.PENDING:
        held = ExpectedReservation(order.hold_id, ReservationStatus.HELD, order.quantities, order.placed_at)
        return [] if order.undoing else [held]
    if order.status is OrderStatus.CONFIRMED:
        since = confirmed if order.committed and confirmed else now
        return [ExpectedReservation(order.hold_id, ReservationStatus.COMMITTED, order.quantities, since)]
    since, sold = _last_time(order, "cancelled") or now, confirmed if order.committed else None
    return [ExpectedReservation(order.hold_id, ReservationStatus.RELEASED, order.quantities, since, sold)]


def _last_time(order: Order, what: str) -> datetime | None:
    return max((entry.at for entry in order.timeline if entry.what == what), default=None)


def find_payment_mismatches(order: Order, payment: CapturedPayment | None) -> list[Finding]:
    """Return where order and provider disagree; for a pending order the provider decides."""
    captured, refunds = (payment.captured, payment.refunds) if payment else (0, {})
    if order.status is OrderStatus.PENDING:
        return []
    found: list[tuple[str, str]] = []
    if order.status is OrderStatus.CONFIRMED and captured != order.totals.total.amount:
        kind = "amount-differs" if captured else "order-without-capture"
        found.append((kind, f"{captured} minor units were taken of {order.totals.total.amount}"))
    if order.status is OrderStatus.CANCELLED and not order.owed_refunds and captured > sum(refunds.values()):
        found.append(("captured-but-cancelled", f"{captured - sum(refunds.values())} minor units are kept"))
    theirs, ours = set(refunds), {refund.id for refund in order.refunds}
    done = {refund.id for refund in order.refunds if refund.done_at}
    if theirs - ours:
        found.append(("refund-unknown-to-order", f"the provider gave back under {_join_ids(theirs - ours)}"))
    if done - theirs:
        found.append(("refund-unknown-to-provider", f"not given back: {_join_ids(done - theirs)}"))
    return [Finding(kind, order.id, detail) for kind, detail in found]


def _join_ids(ids: set[str]) -> str:
    return ", ".join(sorted(ids))
