"""Reading orders, and what shoppers and staff do with them after they were placed."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from chassis.couch import BadCursor, Busy, Conflict, CouchError, NotFound, Page, Repository, Unavailable

from ..domain import (
    Order,
    OrderStatus,
    PaymentStatus,
    Refund,
    RefundRefused,
    RefundRequest,
    Shipment,
    Step,
)
from .facts import audit
from .ports import Refusal
from .saga import Saga


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks: a shopper by account, a guest by the order's token, or staff by permission."""

    account_id: str | None = None
    token: str = ""
    may_read: bool = False
    may_write: bool = False

    @property
    def staff_name(self) -> str:
        return self.account_id or "" if self.may_write else ""


@dataclass(frozen=True, slots=True)
class Search:
    """Filters of the staff list; ``since`` and ``until`` are about ``placed_at``, the latter not included."""

    status: str = ""
    email: str = ""
    number: str = ""
    since: datetime | None = None
    until: datetime | None = None


class Orders:
    def __init__(
        self,
        orders: Repository[Order],
        saga: Saga,
        *,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        secret: str,
    ) -> None:
        self._orders, self._saga, self._clock, self._new_id = orders, saga, clock, new_id
        self._secret = secret.encode()

    # -- reading -----------------------------------------------------------------------------------
    def token(self, order: Order) -> str:
        """A guest's key, derived, so that replays give the same; empty for an account's order."""
        if order.account_id:
            return ""
        return hmac.new(self._secret, f"order-access:{order.id}".encode(), hashlib.sha256).hexdigest()[:40]

    def get(self, number: str, viewer: Viewer) -> Order:
        """NotFound, also for what belongs to someone else."""
        order = self._orders.get(number)
        if not self._may_see(order, viewer):
            raise NotFound(number)
        return order

    def mine(self, account_id: str, *, limit: int, cursor: str | None) -> tuple[Page[Order], int]:
        """The account's accepted orders, the newest first, and how many there are."""
        where = {"account_id": account_id, "accepted": True}
        page = self._orders.find("account", where, descending=True, limit=limit, cursor=cursor)
        return page, self._orders.count(where, index="account")

    def search(self, search: Search, *, limit: int, cursor: str | None) -> Page[Order]:
        """All orders, for staff, the newest first."""
        if search.number:
            return self._by_number(search)
        if search.since and search.until and search.since >= search.until:
            return Page([], None)
        where = {name: value for name, value in (("email", search.email), ("status", search.status)) if value}
        try:
            return self._orders.find(
                "_".join(where) or "placed", where, descending=True, limit=limit, cursor=cursor,
                start=search.since, end=search.until,
            )  # fmt: skip
        except (Busy, Unavailable):
            raise
        except CouchError as error:
            if cursor is None:
                raise
            raise BadCursor(
                cursor
            ) from error  # one of another range: CouchDB refuses keys the wrong way round

    def _by_number(self, search: Search) -> Page[Order]:
        found = self._orders.get_many([search.number])
        return Page([order for order in found if _fits(order, search)], None)

    def _may_see(self, order: Order, viewer: Viewer) -> bool:
        if viewer.may_read:
            return True
        if order.account_id:
            return order.account_id == viewer.account_id
        return bool(viewer.token) and hmac.compare_digest(viewer.token.encode(), self.token(order).encode())

    # -- changing ----------------------------------------------------------------------------------
    def cancel(self, number: str, viewer: Viewer, *, reason: str = "") -> Order:
        """The money goes back and the stock too. Cancelling a cancelled order answers it unchanged."""
        order = self.get(number, replace(viewer, may_read=viewer.may_write))

        def change(order: Order) -> None:
            if order.payment.status is PaymentStatus.REQUIRES_ACTION and order.status is OrderStatus.PENDING:
                order.begin_undo("cancelled")
            elif not order.begin_cancel(self._clock(), reason or "cancelled"):
                return
            audit(order, viewer.staff_name, "cancel", reason or "cancelled", self._clock())

        return order if order.status is OrderStatus.CANCELLED else self._change_and_drive(number, change)

    def refund(self, number: str, request: RefundRequest, *, actor: str) -> Order:
        """Raises RefundRefused if the provider will not; while it does not answer, the sweeper goes on."""

        def change(order: Order) -> None:
            if order.begin_refund(request):
                audit(order, actor, "refund", _told(order.refunds[-1]), request.at)

        order = self._change_and_drive(number, change)
        refund = order.refund(request.id)
        if refund and refund.failure:
            raise RefundRefused(refund.failure)
        return order

    def ship(self, number: str, shipment: Shipment, *, actor: str) -> Order:
        """``shipment.lines`` empty: all that is left."""

        def change(order: Order) -> None:
            if order.ship(replace(shipment, lines=shipment.lines or order.unsent)):
                audit(order, actor, "ship", f"{shipment.carrier} {shipment.tracking}", shipment.at)

        return self._orders.update(number, change)

    def deliver(self, number: str, *, actor: str) -> Order:
        def change(order: Order) -> None:
            if order.deliver(self._clock()):
                audit(order, actor, "deliver", "delivered", self._clock())

        return self._orders.update(number, change)

    def retry(self, number: str, *, actor: str) -> Order:
        """Staff send a stuck order on its way again, at once."""

        def change(order: Order) -> None:
            order.rest(self._clock())
            audit(order, actor, "retry", "tried again", self._clock())

        return self._change_and_drive(number, change)

    def payment_decided(self, number: str) -> Order:
        """The shopper did, or refused, what the payment waited for: look at it now rather than when its time
        comes."""
        order = self._orders.get(number)
        if order.next_step is not Step.PAY or not order.take(self._new_id(), self._clock()):
            return order
        try:
            return self._saga.settle(self._orders.save(order))
        except Conflict:
            return self._orders.get(number)  # someone else is on it already

    def _change_and_drive(self, number: str, change: Callable[[Order], None]) -> Order:
        """Write down what is to be done, then do it; whatever fails is done later by the sweeper."""
        by = self._new_id()

        def take(order: Order) -> None:
            if not order.take(by, self._clock()):
                raise Refusal(409, "order-busy", "It is being worked on just now; try again in a moment.")
            change(order)

        return self._saga.settle(self._orders.update(number, take))


def _told(refund: Refund) -> str:
    """A refund in one line, for the audit trail: `1000 EUR (1 x TEA): broken`, in minor units."""
    units = ", ".join(f"{line.quantity} x {line.sku}" for line in refund.lines if line.quantity)
    return f"{refund.amount.amount} {refund.amount.currency}{f' ({units})' if units else ''}: {refund.reason}"


def _fits(order: Order, search: Search) -> bool:
    return (
        search.email in ("", order.email)
        and search.status in ("", order.status.value)
        and (search.since is None or order.placed_at >= search.since)
        and (search.until is None or order.placed_at < search.until)
    )
