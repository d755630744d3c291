"""The order's way from `pending` to its end. Every effect may be repeated, so whoever finds an order half-way
goes on.

Only what changes the order's fate is saved: a crash between two saves repeats the effects in between, under
the same
ids. Before anything is given back the intent is saved, so that a worker who was paused cannot pay for it any
more.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from chassis.couch import Conflict, Repository
from chassis.failpoints import failpoint

from ..domain import (
    Answer,
    NotAllowed,
    Order,
    Outcome,
    Payment,
    PaymentProvider,
    PaymentRequest,
    ProviderDown,
    Refund,
    RefundRefused,
    Step,
    UnknownPayment,
)
from .facts import publish
from .ports import Away, Carts, Catalog, Refusal

OVERTAKEN = 5  # how often a write of somebody else is taken in before the sweeper gets the order
PAY_WITHIN = timedelta(minutes=30)  # a payment that waits for its shopper is called off after that


class Saga:
    """One step at a time. Raises Away and ProviderDown (nothing was decided, try again), and what saving
    raises."""

    def __init__(
        self,
        orders: Repository[Order],
        payments: PaymentProvider,
        catalog: Catalog,
        carts: Carts,
        *,
        clock: Callable[[], datetime],
        send_mail: Callable[[str], bool],
    ) -> None:
        self._orders, self._payments, self._catalog, self._carts = orders, payments, catalog, carts
        self._clock, self._send_mail = clock, send_mail
        self._steps: dict[Step, Callable[[Order], Order]] = {
            Step.UNDO: self._undo,
            Step.PAY: self._resume,
            Step.FINISH: self._finish,
            Step.CANCEL: self._cancel,
            Step.REFUND: self._refund,
            Step.MAIL: self._mail,
        }

    def begin(self, order: Order) -> Order:
        """The first run of a new order: nobody else can have paid for it, so nobody is asked."""
        return self._or_give_up(order, self._hold_and_pay)

    def press(self, order: Order) -> Order:
        """Go on with an order whose buyer is waiting for the answer."""
        return self._or_give_up(order, self.drive)

    def _or_give_up(self, order: Order, run: Callable[[Order], Order]) -> Order:
        """The buyer is told 503 when it cannot be held just now, so it must not be paid for later."""
        try:
            order = run(order)
        except Away:
            if order.next_step is not Step.PAY:
                raise
            order.begin_undo("unavailable")
            order = self._orders.save(order)
        return self.drive(order) if order.next_step is Step.UNDO else order

    def drive(self, order: Order) -> Order:
        """Go on until the order is done, or waits for someone else."""
        while (step := order.next_step) is not None:
            order = self._steps[step](order)
            if order.lease is None:
                break
        return order

    def settle(self, order: Order) -> Order:
        """Like drive, but what fails is written down and tried again later, and shown to staff in the end."""
        number, by = order.id, order.lease.by if order.lease else ""
        for _ in range(OVERTAKEN):
            try:
                order = self.drive(order)
                return self._orders.save(self._rested(order)) if order.lease else order
            except Conflict:
                # The mail or the relay wrote in between; effects may be repeated, so start over.
                order = self._orders.get(number)
                if order.lease is None or order.lease.by != by:
                    return order
            except (Away, ProviderDown, Refusal, RefundRefused, NotAllowed) as error:
                return self.later(number, by, str(error))
            except UnknownPayment as error:
                return self.later(number, by, f"the provider does not know the payment {error}")
        return self.later(number, by, "it was written to by others all the time")

    def later(self, number: str, by: str, trouble: str) -> Order:
        """``by`` could not go on with it: let go of it, if it is still held."""

        def change(order: Order) -> None:
            if order.lease and order.lease.by == by:
                order.try_again(self._clock(), trouble)

        return self._orders.update(number, change)

    # -- forward -----------------------------------------------------------------------------------
    def _resume(self, order: Order) -> Order:
        """Someone else was here before: what the provider knows decides."""
        try:
            payment = self._payments.get(order.payment.id)
        except UnknownPayment:
            return self._hold_and_pay(order)
        if payment.outcome is Outcome.REQUIRES_ACTION and self._clock() > order.placed_at + PAY_WITHIN:
            order.begin_undo("payment-expired", Answer(402, "payment-refused", "It was not paid in time."))
            return self._orders.save(order)
        return self._decide(order, payment)

    def _hold_and_pay(self, order: Order) -> Order:
        try:
            self._hold(order)
        except Refusal as no:
            order.begin_undo(no.type, Answer(no.status, no.type, no.detail, no.members))
            return self._orders.save(order) if order.may_hold_stock or order.holds_cart else order
        return self._decide(order, self._pay(order))

    def _hold(self, order: Order) -> None:
        if order.cart:
            failpoint("order.before_claim")
            self._carts.claim(order.cart.id, order.hold_id, order.cart.version)
            failpoint("order.after_claim")
        failpoint("order.before_reserve")
        self._catalog.reserve(order.hold_id, order.quantities)
        failpoint("order.after_reserve")

    def _pay(self, order: Order) -> Payment:
        request = PaymentRequest(order.hold_id, order.totals.total, order.payment.method, order.payment.token)
        failpoint("order.before_pay")
        try:
            payment = self._payments.create(request)
        except ProviderDown:
            payment = self._ask(order)
        failpoint("order.after_pay")
        return payment

    def _ask(self, order: Order) -> Payment:
        """Whether anything was charged is unknown: ask by the id, and never try again under another."""
        try:
            return self._payments.get(order.payment.id)
        except (ProviderDown, UnknownPayment):
            return Payment(order.payment.id, Outcome.PROCESSING, order.totals.total)

    def _decide(self, order: Order, payment: Payment) -> Order:
        now = self._clock()
        if payment.outcome is Outcome.PAID:
            return self._confirm(order, payment)
        if payment.outcome in (Outcome.REFUSED, Outcome.CANCELLED):
            order.payment_failed(payment, now)
            return self._orders.save(order)
        order.payment_open(payment, now)
        order.rest(now)
        return self._orders.save(order)

    def _confirm(self, order: Order, payment: Payment) -> Order:
        """The money is here. Stock and cart come first only to save a write: what fails is done later."""
        order.undo_overtaken(payment, self._clock()) if order.undoing else order.paid(payment, self._clock())
        publish(order, "order.confirmed", self._clock())
        self._finish_quietly(order)
        failpoint("order.before_confirm")
        order = self._orders.save(order)
        failpoint("order.after_confirm")
        if order.mail_due:
            self._send_mail(order.id)
        return order

    def _finish_quietly(self, order: Order) -> None:
        try:
            self._finish_effects(order)
        except (Away, Refusal) as error:
            order.try_again(self._clock(), str(error))
        else:
            order.rest(self._clock())

    def _finish_effects(self, order: Order) -> None:
        if not order.committed:
            failpoint("order.before_commit")
            self._catalog.commit(order.hold_id, order.quantities)
            failpoint("order.after_commit")
            order.committed = True
        if not order.settled and order.cart:
            failpoint("order.before_settle")
            self._carts.settle(order.cart.id, order.hold_id, order.quantities)
            failpoint("order.after_settle")
        order.settled = True

    def _finish(self, order: Order) -> Order:
        self._finish_effects(order)
        return order if order.next_step in (Step.CANCEL, Step.REFUND) else self._rest(order)

    def _mail(self, order: Order) -> Order:
        """Ask for the mail once more; the task that sends it says so in the order."""
        self._send_mail(order.id)
        order.try_again(self._clock(), "the mail has not been sent yet")
        return self._orders.save(order)

    # -- back --------------------------------------------------------------------------------------
    def _undo(self, order: Order) -> Order:
        if order.may_have_been_charged:
            payment = self._payments.cancel(order.payment.id)
            if payment.outcome is Outcome.PAID:
                return self._confirm(order, payment)
            if payment.outcome is Outcome.PROCESSING:
                raise ProviderDown("the payment is not decided yet")
        if order.may_hold_stock:
            failpoint("order.before_release")
            self._catalog.release(order.hold_id, order.quantities)
            failpoint("order.after_release")
        if order.cart and order.holds_cart:
            self._carts.unclaim(order.cart.id, order.hold_id)
            failpoint("order.after_unclaim")
        order.undone(self._clock())
        return self._rest(order)

    def _cancel(self, order: Order) -> Order:
        """Pay back, then restock. Where the provider refuses, the order is stuck: staff owe the money."""
        for refund in order.owed_refunds:
            self._give_back(order, refund)
        failpoint("order.before_restock")
        self._catalog.release(order.hold_id, order.quantities, sold=order.committed)
        failpoint("order.after_restock")
        order.cancel_finished(self._clock())
        publish(order, "order.cancelled", self._clock())
        return self._rest(order)

    def _refund(self, order: Order) -> Order:
        for refund in order.owed_refunds:
            try:
                self._give_back(order, refund)
            except RefundRefused as no:
                order.refund_refused(refund.id, str(no))
            else:
                publish(order, "order.refunded", self._clock())
        return self._rest(order)

    def _give_back(self, order: Order, refund: Refund) -> None:
        failpoint("order.before_refund")
        self._payments.refund(order.payment.id, refund.amount, refund.id)
        failpoint("order.after_refund")
        order.refunded(refund.id, self._clock())

    def _rest(self, order: Order) -> Order:
        return self._orders.save(self._rested(order))

    def _rested(self, order: Order) -> Order:
        order.rest(self._clock())
        return order
