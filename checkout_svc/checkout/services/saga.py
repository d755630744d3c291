"""The saga that takes an order from `pending` to its end.

Every effect is idempotent, so any worker can resume a half-finished order. Only what decides an order's
result is saved: a crash between two saves repeats the effects in between, under the same ids. The intent to
compensate is saved before anything is released, so that a paused worker can no longer pay for the order.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from chassis.couch import Conflict, Repository
from chassis.failpoints import failpoint

from ..domain import (
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
    StoredResponse,
    UnknownPayment,
)
from .events import append_order_event
from .ports import Carts, Catalog, DependencyUnavailable, RuleViolation

MAX_CONFLICTS = 5  # conflicting writes in a row before the recovery job takes over
PAYMENT_TIMEOUT = timedelta(minutes=30)  # then a payment that waits for its shopper is cancelled


class Saga:
    """Runs the steps of an order.

    Raises DependencyUnavailable and ProviderDown (nothing was decided, retry), and the errors of saving.
    """

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
            Step.COMPENSATE: self._compensate,
            Step.PAY: self._resume_payment,
            Step.FINISH: self._finish,
            Step.CANCEL: self._cancel,
            Step.REFUND: self._refund,
            Step.MAIL: self._mail,
        }

    def begin(self, order: Order) -> Order:
        """Run a new order; no other worker can have paid for it, so the provider is not asked."""
        return self._run_or_compensate(order, self._hold_and_pay)

    def resume(self, order: Order) -> Order:
        """Resume an order whose buyer is waiting for the response."""
        return self._run_or_compensate(order, self.advance)

    def _run_or_compensate(self, order: Order, run: Callable[[Order], Order]) -> Order:
        """Run the order and compensate it if it cannot be reserved now.

        The buyer gets a 503 then, so the order must not be paid for later.
        """
        try:
            order = run(order)
        except DependencyUnavailable:
            if order.next_step is not Step.PAY:
                raise
            order.begin_compensation("unavailable")
            order = self._orders.save(order)
        return self.advance(order) if order.next_step is Step.COMPENSATE else order

    def advance(self, order: Order) -> Order:
        """Run step after step until the order is done or waits for someone else."""
        while (step := order.next_step) is not None:
            order = self._steps[step](order)
            if order.lease is None:
                break
        return order

    def run_to_completion(self, order: Order) -> Order:
        """Advance the order; a failure schedules a retry, and staff see the order if it stays stuck."""
        number, by = order.id, order.lease.by if order.lease else ""
        for _ in range(MAX_CONFLICTS):
            try:
                order = self.advance(order)
                return self._orders.save(self._release_lease(order)) if order.lease else order
            except Conflict:
                # The mail task or the relay saved in between; effects are idempotent, so start again.
                order = self._orders.get(number)
                if order.lease is None or order.lease.by != by:
                    return order
            except (DependencyUnavailable, ProviderDown, RuleViolation, RefundRefused, NotAllowed) as error:
                return self.schedule_retry(number, by, str(error))
            except UnknownPayment as error:
                return self.schedule_retry(number, by, f"the provider does not know the payment {error}")
        return self.schedule_retry(number, by, "too many concurrent writes")

    def schedule_retry(self, number: str, by: str, trouble: str) -> Order:
        """Release the lease and schedule a retry if ``by`` still holds the lease."""

        def change(order: Order) -> None:
            if order.lease and order.lease.by == by:
                order.schedule_retry(self._clock(), trouble)

        return self._orders.update(number, change)

    # -- forward -----------------------------------------------------------------------------------
    def _resume_payment(self, order: Order) -> Order:
        """Continue an order that another worker began; the provider's payment decides."""
        try:
            payment = self._payments.get(order.payment.id)
        except UnknownPayment:
            return self._hold_and_pay(order)
        if payment.outcome is Outcome.REQUIRES_ACTION and self._clock() > order.placed_at + PAYMENT_TIMEOUT:
            order.begin_compensation(
                "payment-expired", StoredResponse(402, "payment-refused", "It was not paid in time.")
            )
            return self._orders.save(order)
        return self._apply_payment(order, payment)

    def _hold_and_pay(self, order: Order) -> Order:
        try:
            self._hold(order)
        except RuleViolation as refused:
            order.begin_compensation(
                refused.type, StoredResponse(refused.status, refused.type, refused.detail, refused.members)
            )
            return self._orders.save(order) if order.may_hold_stock or order.holds_cart else order
        return self._apply_payment(order, self._pay(order))

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
            payment = self._query_payment(order)
        failpoint("order.after_pay")
        return payment

    def _query_payment(self, order: Order) -> Payment:
        """Ask for the payment by its id, since it is unknown whether anything was charged."""
        try:
            return self._payments.get(order.payment.id)
        except (ProviderDown, UnknownPayment):
            return Payment(order.payment.id, Outcome.PROCESSING, order.totals.total)

    def _apply_payment(self, order: Order, payment: Payment) -> Order:
        now = self._clock()
        if payment.outcome is Outcome.PAID:
            return self._confirm(order, payment)
        if payment.outcome in (Outcome.REFUSED, Outcome.CANCELLED):
            order.mark_payment_failed(payment, now)
            return self._orders.save(order)
        order.mark_payment_open(payment, now)
        order.release_lease(now)
        return self._orders.save(order)

    def _confirm(self, order: Order, payment: Payment) -> Order:
        """Confirm the paid order.

        Stock and cart are updated before the save only to save a write; what fails is retried later.
        """
        order.confirm_after_all(payment, self._clock()) if order.undoing else order.mark_paid(
            payment, self._clock()
        )
        append_order_event(order, "order.confirmed", self._clock())
        self._try_to_finish(order)
        failpoint("order.before_confirm")
        order = self._orders.save(order)
        failpoint("order.after_confirm")
        if order.mail_due:
            self._send_mail(order.id)
        return order

    def _try_to_finish(self, order: Order) -> None:
        try:
            self._finish_effects(order)
        except (DependencyUnavailable, RuleViolation) as error:
            order.schedule_retry(self._clock(), str(error))
        else:
            order.release_lease(self._clock())

    def _finish_effects(self, order: Order) -> None:
        if not order.committed:
            failpoint("order.before_commit")
            self._catalog.commit(order.hold_id, order.quantities)
            failpoint("order.after_commit")
            order.committed = True
        if not order.settled and order.cart:
            failpoint("order.before_settle")
            self._carts.remove_ordered(order.cart.id, order.hold_id, order.quantities)
            failpoint("order.after_settle")
        order.settled = True

    def _finish(self, order: Order) -> Order:
        self._finish_effects(order)
        return order if order.next_step in (Step.CANCEL, Step.REFUND) else self._save_released(order)

    def _mail(self, order: Order) -> Order:
        """Queue the mail again; the task that sends it records that in the order."""
        self._send_mail(order.id)
        order.schedule_retry(self._clock(), "the mail has not been sent yet")
        return self._orders.save(order)

    # -- compensation, cancelling and refunds ------------------------------------------------------
    def _compensate(self, order: Order) -> Order:
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
        order.finish_compensation(self._clock())
        return self._save_released(order)

    def _cancel(self, order: Order) -> Order:
        """Refund, then restock. Where the provider refuses, the order is stuck and staff owe the money."""
        for refund in order.owed_refunds:
            self._send_refund(order, refund)
        failpoint("order.before_restock")
        self._catalog.release(order.hold_id, order.quantities, sold=order.committed)
        failpoint("order.after_restock")
        order.finish_cancellation(self._clock())
        append_order_event(order, "order.cancelled", self._clock())
        return self._save_released(order)

    def _refund(self, order: Order) -> Order:
        for refund in order.owed_refunds:
            try:
                self._send_refund(order, refund)
            except RefundRefused as refused:
                order.mark_refund_refused(refund.id, str(refused))
            else:
                append_order_event(order, "order.refunded", self._clock())
        return self._save_released(order)

    def _send_refund(self, order: Order, refund: Refund) -> None:
        failpoint("order.before_refund")
        self._payments.refund(order.payment.id, refund.amount, refund.id)
        failpoint("order.after_refund")
        order.mark_refunded(refund.id, self._clock())

    def _save_released(self, order: Order) -> Order:
        return self._orders.save(self._release_lease(order))

    def _release_lease(self, order: Order) -> Order:
        order.release_lease(self._clock())
        return order
