"""Place an order exactly once per customer and idempotency key."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chassis.bulkhead import Bulkhead
from chassis.couch import Conflict, NotFound, Repository
from chassis.failpoints import failpoint

from ..domain import (
    LEASE_DURATION,
    Address,
    Lease,
    Money,
    NotConfigured,
    Order,
    PaymentProvider,
    PaymentState,
    ProviderDown,
    TimelineEntry,
    order_number,
)
from .ports import DependencyUnavailable, RuleViolation
from .pricing import Basket, Pricing
from .saga import Saga

LONG_WAIT = 5.0  # seconds
#: Requests of a process that wait LONG_WAIT for one order; others wait SHORT_WAIT (seconds).
MAX_LONG_WAITS, SHORT_WAIT = 3, 0.5
_POLL_INTERVAL = 0.1


@dataclass(frozen=True, slots=True)
class PlaceOrderCommand:
    """A request to place an order.

    ``fingerprint`` is the hash of the body; it distinguishes a retry from another order.
    """

    key: str
    fingerprint: str
    account_id: str | None
    session_id: str | None
    basket: Basket
    email: str
    shipping_address: Address
    billing_address: Address | None
    shipping_method: str
    payment_method: str
    payment_token: str
    expected_total: Money | None = None

    @property
    def number(self) -> str:
        """Return the order number, derived from the key and the account, else the cart, else the e-mail."""
        if self.account_id:
            scope = f"account:{self.account_id}"
        else:
            scope = f"cart:{self.basket.cart_id}" if self.basket.cart_id else f"email:{self.email}"
        return order_number(scope, self.key)


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """The order with its stored response; ``replay`` is True if it was answered before."""

    order: Order
    replay: bool


class PlaceOrder:
    """The use case that places orders."""

    def __init__(
        self,
        orders: Repository[Order],
        pricing: Pricing,
        payments: PaymentProvider,
        saga: Saga,
        *,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._orders, self._pricing, self._payments, self._saga = orders, pricing, payments, saga
        self._clock, self._new_id, self._sleep = clock, new_id, sleep
        self._waits = Bulkhead(MAX_LONG_WAITS, long=LONG_WAIT, short=SHORT_WAIT)

    def place(self, command: PlaceOrderCommand) -> PlacedOrder:
        """Place the order, or return the result of the first request with the same key.

        Raises RuleViolation for results that are not stored (404, 422, a concurrent request), and
        DependencyUnavailable or NotConfigured for 503.
        """
        by = self._new_id()
        try:
            fresh = self._draft(command, by)
        except (RuleViolation, DependencyUnavailable, NotConfigured):
            known = self._find(command.number)
            if known is None or (known.abandoned and known.fingerprint == command.fingerprint):
                raise
            return self._replay_or_take_over(command, known, by)
        try:
            failpoint("order.before_create")
            order = self._orders.add(fresh)
            failpoint("order.after_create")
        except Conflict:
            return self._replay_or_take_over(command, self._orders.get(fresh.id), by)
        return self._result(command, self._run(command, order, self._saga.begin), by, replay=False)

    # -- a new order -------------------------------------------------------------------------------
    def _draft(self, command: PlaceOrderCommand, by: str) -> Order:
        if not self._payments.accepts(command.payment_method, command.payment_token):
            raise RuleViolation(
                422, "unknown-payment-token", "The payment provider does not know this token."
            )
        priced = self._pricing.price(
            command.basket,
            account_id=command.account_id,
            address=command.shipping_address,
            method=command.shipping_method,
        )
        if command.expected_total not in (None, priced.totals.total):
            raise RuleViolation(
                422, "total-changed", "The total is not what was expected.", totals=priced.totals
            )
        now = self._clock()
        return Order(
            id=command.number,
            fingerprint=command.fingerprint,
            email=command.email,
            shipping_address=command.shipping_address,
            billing_address=command.billing_address,
            shipping_method=command.shipping_method,
            lines=priced.lines,
            totals=priced.totals,
            payment=PaymentState(
                self._payments.id_for(command.number), command.payment_method, command.payment_token
            ),
            placed_at=now,
            account_id=command.account_id,
            session_id=command.session_id,
            cart=priced.cart,
            settled=priced.cart is None,
            timeline=(TimelineEntry(now, "placed"),),
            lease=Lease(by, now + LEASE_DURATION),
            wake_at=now + LEASE_DURATION,
            version=1,
        )

    # -- the same key again ------------------------------------------------------------------------
    def _replay_or_take_over(self, command: PlaceOrderCommand, order: Order, by: str) -> PlacedOrder:
        """Replay the response, wait for a concurrent request, or take the order over if it is idle."""
        if order.fingerprint != command.fingerprint:
            raise RuleViolation(
                422, "idempotency-key-reused", "This Idempotency-Key was used for another order."
            )
        with self._waits.patience(order.id) as seconds:
            return self._wait_or_take_over(command, order, by, polls=int(seconds / _POLL_INTERVAL))

    def _wait_or_take_over(
        self, command: PlaceOrderCommand, order: Order, by: str, *, polls: int
    ) -> PlacedOrder:
        for _ in range(polls):
            if order.is_answered:
                return PlacedOrder(order, replay=True)
            taken = self._take_over(command, order, by)
            if taken:
                return self._result(command, taken, by, replay=False)
            self._sleep(_POLL_INTERVAL)
            order = self._orders.get(order.id)
        raise RuleViolation(
            409, "idempotency-in-progress", "The first request with this key is still being worked on."
        )

    def _take_over(self, command: PlaceOrderCommand, order: Order, by: str) -> Order | None:
        """Resume or restart the order; return None if another worker has it."""
        begin = self._saga.resume
        if order.abandoned:
            order.restart(self._redraft(command, order, by))
            begin = self._saga.begin
        elif not order.acquire_lease(by, self._clock()):
            return None
        try:
            order = self._orders.save(order)
        except Conflict:
            return None
        return self._run(command, order, begin)

    def _redraft(self, command: PlaceOrderCommand, order: Order, by: str) -> Order:
        draft = self._draft(command, by)
        draft.payment.id = self._payments.id_for(order.next_hold_id)
        return draft

    # -- new or repeated ---------------------------------------------------------------------------
    def _run(self, command: PlaceOrderCommand, order: Order, begin: Callable[[Order], Order]) -> Order:
        number, by = order.id, order.lease.by if order.lease else ""
        try:
            return begin(order)
        except Conflict:  # another worker resumed it meanwhile; its result counts
            return self._orders.get(number)
        except (DependencyUnavailable, ProviderDown, RuleViolation) as error:
            return self._saga.schedule_retry(number, by, str(error))

    def _result(self, command: PlaceOrderCommand, order: Order, by: str, *, replay: bool) -> PlacedOrder:
        if order.is_answered:
            return PlacedOrder(order, replay)
        if order.lease and order.lease.by != by:
            return self._replay_or_take_over(command, order, by)
        raise DependencyUnavailable(
            "The order cannot be taken just now; nothing is held and nothing was charged."
        )

    def _find(self, number: str) -> Order | None:
        try:
            return self._orders.get(number)
        except NotFound:
            return None
