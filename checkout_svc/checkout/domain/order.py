"""The order: aggregate, saga log and outbox in one document. State changes are the named transitions below.

    pending --paid--> confirmed --begin_cancel, refund, stock back--> cancelled
       |--refused, out of stock, abandoned: begin_undo--> (release, unclaim) --undone--> cancelled

Paying is the pivot: before it everything can be undone, after it the order only goes forward.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime

from .parts import (
    Answer,
    FulfilmentStatus,
    OrderStatus,
    Shipment,
    Step,
    payment_status,
)
from .payment import Payment
from .refunds import RefundableOrder, RefundRequest

_CART_REFUSED = ("cart-claimed", "cart-changed")
_STOCK_REFUSED = ("out-of-stock", "unknown-sku")


class Order(RefundableOrder):
    """The transitions. Each is guarded, raises NotAllowed, and raises ``version``."""

    __slots__ = ()

    # -- before the pivot --------------------------------------------------------------------------
    def paid(self, payment: Payment, now: datetime) -> None:
        """The pivot. Money has moved, so from here the order is confirmed, whatever else fails."""
        self._need(
            self.status is OrderStatus.PENDING and not self.undoing, "not-payable", "It is not to be paid."
        )
        self.status, self.accepted, self.mail_due = OrderStatus.CONFIRMED, True, bool(self.email)
        self._note_payment(payment)
        self._happened(now, "confirmed")
        self._answered(Answer(201))

    def payment_open(self, payment: Payment, now: datetime) -> None:
        """The payment is neither made nor refused yet: the order is accepted and waits."""
        self._need(
            self.status is OrderStatus.PENDING and not self.undoing, "not-payable", "It is not to be paid."
        )
        before = self.payment.status
        self._note_payment(payment)
        self.accepted = True
        if self.payment.status is not before:
            self._happened(now, f"payment_{self.payment.status.value}")
        self._answered(Answer(202))

    def payment_failed(self, payment: Payment, now: datetime) -> None:
        self._note_payment(payment)
        self._happened(now, "payment_refused")
        detail = "The payment was refused; nothing was charged and nothing is held."
        self.begin_undo("payment-refused", Answer(402, "payment-refused", detail, {"code": payment.code}))

    def begin_undo(self, why: str, answer: Answer | None = None) -> None:
        """Give back what is held, then ``undone``. Saved before anything is given back, so that nobody pays
        meanwhile.

        Without an ``answer`` the same key may place the order again.
        """
        self._need(self.status is OrderStatus.PENDING, "not-undoable", "Only a pending order can be undone.")
        self.undoing = self.undoing or why
        if answer:
            self._answered(answer)
        self.version += 1

    def undone(self, now: datetime) -> None:
        """Nothing is held any more."""
        self._need(self.next_step is Step.UNDO, "not-undoable", "It is not being undone.")
        self.status = OrderStatus.CANCELLED
        self._happened(now, "cancelled")

    def undo_overtaken(self, payment: Payment, now: datetime) -> None:
        """The money came in before the payment could be called off: the order goes forward after all."""
        self._need(self.next_step is Step.UNDO, "not-undoable", "It is not being undone.")
        self.undoing = ""
        self.paid(payment, now)

    @property
    def may_have_been_charged(self) -> bool:
        """Whether undoing has to call the payment off first. These reasons are known before or from the
        payment."""
        return self.undoing not in (*_CART_REFUSED, *_STOCK_REFUSED, "payment-refused")

    @property
    def abandoned(self) -> bool:
        """Undone before it was answered: a 503 is never stored, so the same key starts afresh."""
        return self.status is OrderStatus.CANCELLED and self.answer is None

    @property
    def holds_cart(self) -> bool:
        """Whether undoing has to let go of a cart."""
        return self.cart is not None and self.undoing not in _CART_REFUSED

    @property
    def may_hold_stock(self) -> bool:
        """Whether undoing has to release. A line that was short held nothing, but of several lines, asked for
        twice after a lost answer, one may still be held."""
        if self.undoing in _STOCK_REFUSED:
            return len(self.lines) > 1
        return self.undoing not in _CART_REFUSED

    @property
    def is_answered(self) -> bool:
        """Whether its buyer can be told: a refusal only after everything was given back."""
        return self.answer is not None and self.next_step is not Step.UNDO

    def place_again(self, fresh: Order) -> None:
        """The same key once more after it was abandoned: today's prices, and new holds."""
        self._need(self.abandoned, "not-abandoned", "It was answered already.")
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
        """A confirmed order that nothing was sent of is taken back; the money follows. False if it was
        before."""
        if self.undoing or self.status is OrderStatus.CANCELLED:
            return False
        self._need(
            self.status is OrderStatus.CONFIRMED,
            "payment-in-progress",
            "Its payment is not known yet; try again soon.",
        )
        self._need(not self.shipments, "not-cancellable", "It has been sent; it can be returned instead.")
        self._need_no_open_refund()
        self.undoing, self.mail_due = reason or "cancelled", False
        if self.refundable.amount:
            self.refunds += (self._refund_for(RefundRequest(f"{self.id}:cancel", now, reason)),)
        self.version += 1
        return True

    def cancel_finished(self, now: datetime) -> None:
        self._need(bool(self.undoing), "not-cancellable", "It is not being cancelled.")
        self._need(not self.owed_refunds, "not-cancellable", "Money is still owed to the shopper.")
        self.status = OrderStatus.CANCELLED
        self._happened(now, "cancelled")

    # -- parcels -----------------------------------------------------------------------------------
    @property
    def sent(self) -> Counter[str]:
        """Units in parcels, by SKU."""
        sent = Counter[str]()
        for shipment in self.shipments:
            sent.update(shipment.lines)
        return sent

    @property
    def unsent(self) -> dict[str, int]:
        """Units that are still to be sent: neither in a parcel nor paid back, nor about to be."""
        balance, sent = self.balance, self.sent
        if self.totals.total.amount and not balance.left:
            return {}
        left = {line.sku: line.units_left - sent[line.sku] for line in balance.lines if not line.paid_back}
        return {sku: quantity for sku, quantity in left.items() if quantity > 0}

    @property
    def fulfilment(self) -> FulfilmentStatus:
        if self.delivered_at:
            return FulfilmentStatus.DELIVERED
        if not self.shipments:
            return FulfilmentStatus.UNFULFILLED
        return FulfilmentStatus.PARTIALLY_SHIPPED if self.unsent else FulfilmentStatus.SHIPPED

    def ship(self, shipment: Shipment) -> bool:
        """``shipment.lines`` leave the house. False if the same id did already, with the same parcel."""
        known = next((one for one in self.shipments if one.id == shipment.id), None)
        if known:
            same = known.fingerprint in ("", shipment.fingerprint)
            self._need(same, "idempotency-key-reused", "This key made another shipment.")
            return False
        sendable = self.status is OrderStatus.CONFIRMED and not self.undoing
        self._need(sendable, "not-shippable", "Only a confirmed order can be sent.")
        fits = all(0 < quantity <= self.unsent.get(sku, 0) for sku, quantity in shipment.lines.items())
        self._need(bool(shipment.lines) and fits, "not-shippable", "More than is left to send.")
        self.shipments += (shipment,)
        self._happened(shipment.at, "shipped" if not self.unsent else "partially_shipped")
        return True

    def deliver(self, now: datetime) -> bool:
        """Everything arrived. False if that was said before."""
        if self.delivered_at:
            return False
        self._need(
            self.fulfilment is FulfilmentStatus.SHIPPED, "not-deliverable", "Not all of it has been sent."
        )
        self.delivered_at = now
        self._happened(now, "delivered")
        return True

    # -- people ------------------------------------------------------------------------------------
    def mailed(self, now: datetime) -> None:
        self.mail_due, self.mailed_at = False, now

    def anonymise(self) -> None:
        """The sale stays, for the books; who it was goes."""
        self.account_id = self.session_id = None
        self.email, self.mail_due = "", False
        self.shipping_address = self.shipping_address.anonymous()
        self.billing_address = self.billing_address.anonymous() if self.billing_address else None
        self.payment.last4 = ""
        for event in self.events:
            event["data"] = {**event["data"], "account_id": None, "session_id": None}
        self.version += 1

    def as_answered(self) -> Order:
        """The order as it looked when ``POST /orders`` was answered."""
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

    # -- parts of the above ------------------------------------------------------------------------
    def _answered(self, answer: Answer) -> None:
        """The first answer is the one that counts."""
        self.answer = self.answer or replace(
            answer,
            order_status=self.status,
            payment_status=self.payment.status,
            happenings=len(self.timeline),
        )

    def _note_payment(self, payment: Payment) -> None:
        self.payment.status = payment_status(payment.outcome)
        self.payment.last4 = payment.last4 or self.payment.last4
        self.payment.next_action = payment.next_action or self.payment.next_action
        self.payment.code = payment.code
