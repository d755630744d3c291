"""After a restore or a promotion: orders, stock and the provider's books are made to agree before sales open.

The order is right about its units, so the stock follows it. The provider is right about money, and what the
order and the provider do not agree on is for a person. Orders that are half-way go on by themselves.
Repeating it changes nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from chassis.couch import Repository

from ..domain import Booked, Order, OrderStatus, PaymentProvider
from .ports import Catalog, Correction, Fate, Truth

_BATCH = 100
_DONE = ("held", "committed", "released", "returned")
_STOCK_WAS_RELEASED = "stock-was-released"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that only a person can decide. ``about`` is an order, a payment or a SKU."""

    kind: str
    about: str
    detail: str


@dataclass(slots=True)
class Report:
    """What was looked at, what was put right, and what a person must look at."""

    orders: int = 0
    payments: int = 0
    skus: int = 0
    waiting: int = 0
    """orders half-way, which the sweeper takes on"""
    changes: list[Correction] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


class Reconciler:
    """Reads everything; keeps one line per order and payment in memory."""

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
        """Raises Away, ProviderDown and what the repository raises; it may then be started again."""
        report = Report()
        books = {booked.payment_id: booked for booked in self._payments.books()}
        report.payments = len(books)
        known: dict[str, str] = {}  # hold -> payment, of the attempt that counts
        for batch in self._batches():
            truths = []
            for order in batch:
                known[order.hold_id] = order.payment.id
                report.orders += 1
                report.waiting += order.status is OrderStatus.PENDING
                report.findings += money_findings(order, books.get(order.payment.id))
                truths += truth_of(order, self._clock())
            self._tell(truths, {order.hold_id: order for order in batch}, books, report)
        paid_for = set(known.values())
        for booked in books.values():
            if booked.kept and booked.payment_id not in paid_for:
                detail = f"{booked.kept} minor units were taken and there is no order"
                report.findings.append(Finding("captured-without-order", booked.payment_id, detail))
        self._look_at_stock(known, books, report)
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

    def _tell(
        self, truths: list[Truth], orders: dict[str, Order], books: dict[str, Booked], report: Report
    ) -> None:
        released: set[str] = set()
        for told in self._catalog.correct(truths) if truths else []:
            order = orders[told.hold_id]
            if told.outcome in _DONE:
                report.changes.append(told)
            elif told.outcome == "was-released":
                released.add(told.hold_id)
            elif order.status is not OrderStatus.PENDING:  # a pending one finds out by itself
                detail = f"{told.sku}: {told.outcome}"
                report.findings.append(Finding("not-in-stock", order.id, detail))
        for hold_id in sorted(released):
            self._was_released(orders[hold_id], books, report)

    def _was_released(self, order: Order, books: dict[str, Booked], report: Report) -> None:
        """The stock knows that the order came to nothing, and the order does not yet."""
        booked = books.get(order.payment.id)
        if order.status is OrderStatus.CONFIRMED or (booked and booked.kept):
            detail = "its units were given back, so it was cancelled before the orders were lost"
            report.findings.append(Finding("released-but-confirmed", order.id, detail))
            return

        def change(fresh: Order) -> None:
            fresh.begin_undo(_STOCK_WAS_RELEASED)
            fresh.wake_at = self._clock()

        self._orders.update(order.id, change)
        report.changes.append(Correction(order.hold_id, "", "undone"))

    def _look_at_stock(self, known: dict[str, str], books: dict[str, Booked], report: Report) -> None:
        """Units of orders that are nowhere, unless somebody paid for them; and more sold than there is."""
        lost: list[Truth] = []
        short: set[str] = set()
        for book in self._catalog.books():
            report.skus += 1
            if book.available < 0:
                short.add(book.sku)
            for hold_id, (fate, quantity) in book.holds.items():
                paid = books.get(self._payments.id_for(hold_id))
                if hold_id not in known and fate is not Fate.RELEASED and not (paid and paid.kept):
                    lost.append(Truth(hold_id, Fate.RELEASED, {book.sku: quantity}, self._clock()))
        for start in range(0, len(lost), _BATCH):
            report.changes += self._catalog.correct(lost[start : start + _BATCH])
        for book in self._catalog.books() if short else []:
            if book.available < 0:
                detail = f"{-book.available} more are sold or held than there are"
                report.findings.append(Finding("oversold", book.sku, detail))


def truth_of(order: Order, now: datetime) -> list[Truth]:
    """What the order says of its units; nothing where the saga is about to give them back."""
    confirmed = _when(order, "confirmed")
    if order.status is OrderStatus.PENDING:
        held = Truth(order.hold_id, Fate.HELD, order.quantities, order.placed_at)
        return [] if order.undoing else [held]
    if order.status is OrderStatus.CONFIRMED:
        since = confirmed if order.committed and confirmed else now
        return [Truth(order.hold_id, Fate.COMMITTED, order.quantities, since)]
    since, sold = _when(order, "cancelled") or now, confirmed if order.committed else None
    return [Truth(order.hold_id, Fate.RELEASED, order.quantities, since, sold)]


def _when(order: Order, what: str) -> datetime | None:
    return max((happening.at for happening in order.timeline if happening.what == what), default=None)


def money_findings(order: Order, booked: Booked | None) -> list[Finding]:
    """Where the order and the provider do not agree. Of a pending order the provider decides."""
    captured, refunds = (booked.captured, booked.refunds) if booked else (0, {})
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
        found.append(("refund-unknown-to-order", f"the provider gave back under {_listed(theirs - ours)}"))
    if done - theirs:
        found.append(("refund-unknown-to-provider", f"not given back: {_listed(done - theirs)}"))
    return [Finding(kind, order.id, detail) for kind, detail in found]


def _listed(ids: set[str]) -> str:
    return ", ".join(sorted(ids))
