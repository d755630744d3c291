"""The order aggregate: order, saga log and outbox in one document.

State changes are the named transitions below.

    pending --mark_paid--> confirmed --begin_cancel, refund, restock--> finish_cancellation --> cancelled
       |--refused, out of stock, abandoned: begin_compensation--> finish_compensation --> cancelled

The payment is the pivot transaction of the saga: before it every step can be compensated, after it the
order only goes forward.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime

from .payment import Payment
from .refunds import RefundableOrder, RefundRequest
from .value_objects import (
    FulfilmentStatus,
    OrderStatus,
    Shipment,
    Step,
    StoredResponse,
    payment_status,
)

_CART_REFUSED = ("cart-claimed", "cart-changed")
_STOCK_REFUSED = ("out-of-stock", "unknown-sku")


class Order(RefundableOrder):
    """The transitions of an order; each one raises NotAllowed or increases ``version``."""

    __slots__ = ()

    # -- before the pivot --------------------------------------------------------------------------
    def mark_paid(self, payment: Payment, now: datetime) -> None:
        """Confirm the order: money has moved, so from here on the order only goes forward."""
        self._require(
            self.status is OrderStatus.PENDING and not self.undoing, "not-payable", "It is not to be paid."
        )
        self.status, self.accepted, self.mail_due = OrderStatus.CONFIRMED, True, bool(self.email)
        self._copy_payment(payment)
        self._add_to_timeline(now, "confirmed")
        self._store_response(StoredResponse(201))

    def mark_payment_open(self, payment: Payment, now: datetime) -> None:
        """Accept the order while its payment is neither paid nor refused."""
        self._require(
            self.status is OrderStatus.PENDING and not self.undoing, "not-payable", "It is not to be paid."
        )
        before = self.payment.status
        self._copy_payment(payment)
        self.accepted = True
        if self.payment.status is not before:
            self._add_to_timeline(now, f"payment_{self.payment.status.value}")
        self._store_response(StoredResponse(202))

    def mark_payment_failed(self, payment: Payment, now: datetime) -> None:
        """Record the refused payment and begin the compensation."""
        self._copy_payment(payment)
        self._add_to_timeline(now, "payment_refused")
        detail = "The payment was refused; nothing was charged and nothing is held."
        self.begin_compensation(
            "payment-refused", StoredResponse(402, "payment-refused", detail, {"code": payment.code})
        )

    def begin_compensation(self, why: str, answer: StoredResponse | None = None) -> None:
        """Record that everything reserved for the order must be released.

        Save the order before anything is released, so that no paused worker pays for it meanwhile.
        Without an ``answer`` the same idempotency key may place the order again.
        """
        self._require(
            self.status is OrderStatus.PENDING, "not-undoable", "Only a pending order can be undone."
        )
        self.undoing = self.undoing or why
        if answer:
            self._store_response(answer)
        self.version += 1

    def finish_compensation(self, now: datetime) -> None:
        """Cancel the order after everything was released."""
        self._require(self.next_step is Step.COMPENSATE, "not-undoable", "It is not being undone.")
        self.status = OrderStatus.CANCELLED
        self._add_to_timeline(now, "cancelled")

    def confirm_after_all(self, payment: Payment, now: datetime) -> None:
        """Confirm an order whose payment succeeded before it could be cancelled."""
        self._require(self.next_step is Step.COMPENSATE, "not-undoable", "It is not being undone.")
        self.undoing = ""
        self.mark_paid(payment, now)

    @property
    def may_have_been_charged(self) -> bool:
        """Return True if the compensation must cancel the payment first."""
        return self.undoing not in (*_CART_REFUSED, *_STOCK_REFUSED, "payment-refused")

    @property
    def abandoned(self) -> bool:
        """Return True if the order was cancelled without a stored response.

        A 503 is never stored, so the same idempotency key starts again.
        """
        return self.status is OrderStatus.CANCELLED and self.answer is None

    @property
    def holds_cart(self) -> bool:
        """Return True if the compensation must release a cart."""
        return self.cart is not None and self.undoing not in _CART_REFUSED

    @property
    def may_hold_stock(self) -> bool:
        """Return True if the compensation must release stock.

        A single line that was short reserved nothing. Of several lines, one may still be reserved if the
        request was repeated after its response was lost.
        """
        if self.undoing in _STOCK_REFUSED:
            return len(self.lines) > 1
        return self.undoing not in _CART_REFUSED

    @property
    def is_answered(self) -> bool:
        """Return True if the buyer can be answered; a refusal only after the compensation has finished."""
        return self.answer is not None and self.next_step is not Step.COMPENSATE

    def restart(self, fresh: Order) -> None:
        """Place an abandoned order again, with today's prices and a new hold id."""
        self._require(self.abandoned, "not-abandoned", "It was answered already.")
        self.lines, self.totals, self.cart, self.placed_at = (
            fresh.lines,
            fresh.totals,
            fresh.cart,
            fresh.placed_at,
        )
        self.status, self.undoing, self.timeline = OrderStatus.PENDING, "", fresh.timeline
        self.attempt += 1
        self.payment = fresh.payment
        self.lease, self.wake_at, self.tries, self.stuck = fresh.lease, fresh.wake_at, 0, False
        self.version += 1

    # -- after the pivot ---------------------------------------------------------------------------
    def begin_cancel(self, now: datetime, reason: str) -> bool:
        """Begin to cancel a confirmed order of which nothing was shipped, and to refund it.

        Returns False if the cancellation had begun before.
        """
        if self.undoing or self.status is OrderStatus.CANCELLED:
            return False
        self._require(
            self.status is OrderStatus.CONFIRMED,
            "payment-in-progress",
            "Its payment is not known yet; try again soon.",
        )
        self._require(not self.shipments, "not-cancellable", "It has been sent; it can be returned instead.")
        self._require_no_open_refund()
        self.undoing, self.mail_due = reason or "cancelled", False
        if self.refundable.amount:
            self.refunds += (self._refund_for(RefundRequest(f"{self.id}:cancel", now, reason)),)
        self.version += 1
        return True

    def finish_cancellation(self, now: datetime) -> None:
        self._require(bool(self.undoing), "not-cancellable", "It is not being cancelled.")
        self._require(not self.owed_refunds, "not-cancellable", "Money is still owed to the shopper.")
        self.status = OrderStatus.CANCELLED
        self._add_to_timeline(now, "cancelled")

    # -- parcels -----------------------------------------------------------------------------------
    @property
    def sent(self) -> Counter[str]:
        """Return the shipped units by SKU."""
        sent = Counter[str]()
        for shipment in self.shipments:
            sent.update(shipment.lines)
        return sent

    @property
    def unsent(self) -> dict[str, int]:
        """Return the units still to ship by SKU, without units that were or will be refunded."""
        balance, sent = self.balance, self.sent
        if self.totals.total.amount and not balance.left:
            return {}
        left = {
            line.sku: line.units_left - sent[line.sku] for line in balance.lines if not line.fully_refunded
        }
        return {sku: quantity for sku, quantity in left.items() if quantity > 0}

    @property
    def fulfilment(self) -> FulfilmentStatus:
        if self.delivered_at:
            return FulfilmentStatus.DELIVERED
        if not self.shipments:
            return FulfilmentStatus.UNFULFILLED
        return FulfilmentStatus.PARTIALLY_SHIPPED if self.unsent else FulfilmentStatus.SHIPPED

    def ship(self, shipment: Shipment) -> bool:
        """Add a parcel; return False if the same parcel was added before under the same id."""
        known = next((one for one in self.shipments if one.id == shipment.id), None)
        if known:
            same = known.fingerprint in ("", shipment.fingerprint)
            self._require(same, "idempotency-key-reused", "This key made another shipment.")
            return False
        sendable = self.status is OrderStatus.CONFIRMED and not self.undoing
        self._require(sendable, "not-shippable", "Only a confirmed order can be sent.")
        fits = all(0 < quantity <= self.unsent.get(sku, 0) for sku, quantity in shipment.lines.items())
        self._require(bool(shipment.lines) and fits, "not-shippable", "More than is left to send.")
        self.shipments += (shipment,)
        self._add_to_timeline(shipment.at, "shipped" if not self.unsent else "partially_shipped")
        return True

    def deliver(self, now: datetime) -> bool:
        """Mark the order as delivered; return False if it was delivered before."""
        if self.delivered_at:
            return False
        self._require(
            self.fulfilment is FulfilmentStatus.SHIPPED, "not-deliverable", "Not all of it has been sent."
        )
        self.delivered_at = now
        self._add_to_timeline(now, "delivered")
        return True

    # -- mail and erasure --------------------------------------------------------------------------
    def mark_mailed(self, now: datetime) -> None:
        self.mail_due, self.mailed_at = False, now

    def anonymise(self) -> None:
        """Remove the customer's personal data and keep the sale for accounting."""
        self.account_id = self.session_id = None
        self.email, self.mail_due = "", False
        self.shipping_address = self.shipping_address.anonymous()
        self.billing_address = self.billing_address.anonymous() if self.billing_address else None
        self.payment.last4 = ""
        for event in self.events:
            event["data"] = {**event["data"], "account_id": None, "session_id": None}
        self.version += 1

    def as_answered(self) -> Order:
        """Return the order as it was when ``POST /orders`` was answered."""
        if self.answer is None:
            return self
        return replace(
            self,
            status=self.answer.order_status,
            payment=replace(self.payment, status=self.answer.payment_status),
            timeline=self.timeline[: self.answer.happenings],
            shipments=(),
            refunds=(),
            delivered_at=None,
        )

    # -- helpers -----------------------------------------------------------------------------------
    def _store_response(self, answer: StoredResponse) -> None:
        """Store the response unless one is stored already."""
        self.answer = self.answer or replace(
            answer,
            order_status=self.status,
            payment_status=self.payment.status,
            happenings=len(self.timeline),
        )

    def _copy_payment(self, payment: Payment) -> None:
        self.payment.status = payment_status(payment.outcome)
        self.payment.last4 = payment.last4 or self.payment.last4
        self.payment.next_action = payment.next_action or self.payment.next_action
        self.payment.code = payment.code
