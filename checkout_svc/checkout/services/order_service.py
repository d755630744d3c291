"""Use cases on orders after they were placed: reading, cancelling, refunds and parcels."""

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
from .events import append_audit_event
from .ports import RuleViolation
from .saga import Saga


@dataclass(frozen=True, slots=True)
class Viewer:
    """The caller: a shopper by account, a guest by the order's token, or staff by permission."""

    account_id: str | None = None
    token: str = ""
    may_read: bool = False
    may_write: bool = False

    @property
    def audit_actor(self) -> str:
        """Return the account id for the audit trail if the caller is staff, else an empty string."""
        return self.account_id or "" if self.may_write else ""


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Filters of the staff list; ``since <= placed_at < until``."""

    status: str = ""
    email: str = ""
    number: str = ""
    since: datetime | None = None
    until: datetime | None = None


class OrderService:
    """Read and change orders that were placed."""

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
        """Return a guest's access token, which is the same in every replay; empty for an account's order."""
        if order.account_id:
            return ""
        return hmac.new(self._secret, f"order-access:{order.id}".encode(), hashlib.sha256).hexdigest()[:40]

    def get(self, number: str, viewer: Viewer) -> Order:
        """Return the order. Raises NotFound if it does not exist or the viewer may not see it."""
        order = self._orders.get(number)
        if not self._may_see(order, viewer):
            raise NotFound(number)
        return order

    def list_for_account(self, account_id: str, *, limit: int, cursor: str | None) -> tuple[Page[Order], int]:
        """Return a page of the account's accepted orders, the newest first, and their number."""
        where = {"account_id": account_id, "accepted": True}
        page = self._orders.find("account", where, descending=True, limit=limit, cursor=cursor)
        return page, self._orders.count(where, index="account")

    def search(self, filters: OrderFilter, *, limit: int, cursor: str | None) -> Page[Order]:
        """Return a page of all orders that match, the newest first; for staff."""
        if filters.number:
            return self._by_number(filters)
        if filters.since and filters.until and filters.since >= filters.until:
            return Page([], None)
        where = {
            name: value for name, value in (("email", filters.email), ("status", filters.status)) if value
        }
        try:
            return self._orders.find(
                "_".join(where) or "placed", where, descending=True, limit=limit, cursor=cursor,
                start=filters.since, end=filters.until,
            )  # fmt: skip
        except (Busy, Unavailable):
            raise
        except CouchError as error:
            if cursor is None:
                raise
            raise BadCursor(
                cursor
            ) from error  # one of another range: CouchDB refuses keys the wrong way round

    def _by_number(self, filters: OrderFilter) -> Page[Order]:
        found = self._orders.get_many([filters.number])
        return Page([order for order in found if _matches(order, filters)], None)

    def _may_see(self, order: Order, viewer: Viewer) -> bool:
        if viewer.may_read:
            return True
        if order.account_id:
            return order.account_id == viewer.account_id
        return bool(viewer.token) and hmac.compare_digest(viewer.token.encode(), self.token(order).encode())

    # -- changing ----------------------------------------------------------------------------------
    def cancel(self, number: str, viewer: Viewer, *, reason: str = "") -> Order:
        """Cancel the order, refund it and put its stock back; a cancelled order is returned unchanged."""
        order = self.get(number, replace(viewer, may_read=viewer.may_write))

        def change(order: Order) -> None:
            if order.payment.status is PaymentStatus.REQUIRES_ACTION and order.status is OrderStatus.PENDING:
                order.begin_compensation("cancelled")
            elif not order.begin_cancel(self._clock(), reason or "cancelled"):
                return
            append_audit_event(order, viewer.audit_actor, "cancel", reason or "cancelled", self._clock())

        return order if order.status is OrderStatus.CANCELLED else self._change_and_advance(number, change)

    def refund(self, number: str, request: RefundRequest, *, actor: str) -> Order:
        """Refund lines or an amount. Raises RefundRefused if the provider refuses.

        While the provider does not answer, the recovery job tries again.
        """

        def change(order: Order) -> None:
            if order.begin_refund(request):
                append_audit_event(order, actor, "refund", _describe_refund(order.refunds[-1]), request.at)

        order = self._change_and_advance(number, change)
        refund = order.refund(request.id)
        if refund and refund.failure:
            raise RefundRefused(refund.failure)
        return order

    def ship(self, number: str, shipment: Shipment, *, actor: str) -> Order:
        """Add a parcel with ``shipment.lines``, or with all that is left if there are none."""

        def change(order: Order) -> None:
            if order.ship(replace(shipment, lines=shipment.lines or order.unsent)):
                append_audit_event(
                    order, actor, "ship", f"{shipment.carrier} {shipment.tracking}", shipment.at
                )

        return self._orders.update(number, change)

    def deliver(self, number: str, *, actor: str) -> Order:
        """Mark the order as delivered."""

        def change(order: Order) -> None:
            if order.deliver(self._clock()):
                append_audit_event(order, actor, "deliver", "delivered", self._clock())

        return self._orders.update(number, change)

    def retry(self, number: str, *, actor: str) -> Order:
        """Retry a stuck order at once, for staff."""

        def change(order: Order) -> None:
            order.release_lease(self._clock())
            append_audit_event(order, actor, "retry", "tried again", self._clock())

        return self._change_and_advance(number, change)

    def resume_after_decision(self, number: str) -> Order:
        """Process the order at once after the shopper approved or refused its payment."""
        order = self._orders.get(number)
        if order.next_step is not Step.PAY or not order.acquire_lease(self._new_id(), self._clock()):
            return order
        try:
            return self._saga.run_to_completion(self._orders.save(order))
        except Conflict:
            return self._orders.get(number)  # another worker has it

    def _change_and_advance(self, number: str, change: Callable[[Order], None]) -> Order:
        """Save the intended change, then carry it out; the recovery job retries what fails."""
        by = self._new_id()

        def take(order: Order) -> None:
            if not order.acquire_lease(by, self._clock()):
                raise RuleViolation(
                    409, "order-busy", "It is being worked on just now; try again in a moment."
                )
            change(order)

        return self._saga.run_to_completion(self._orders.update(number, take))


def _describe_refund(refund: Refund) -> str:
    """Describe a refund in one line for the audit trail, in minor units: `1000 EUR (1 x TEA): broken`."""
    units = ", ".join(f"{line.quantity} x {line.sku}" for line in refund.lines if line.quantity)
    return f"{refund.amount.amount} {refund.amount.currency}{f' ({units})' if units else ''}: {refund.reason}"


def _matches(order: Order, filters: OrderFilter) -> bool:
    return (
        filters.email in ("", order.email)
        and filters.status in ("", order.status.value)
        and (filters.since is None or order.placed_at >= filters.since)
        and (filters.until is None or order.placed_at < filters.until)
    )
