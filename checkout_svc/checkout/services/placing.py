"""Placing an order: once per customer and key, whatever is lost on the way."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chassis.bulkhead import Bulkhead
from chassis.couch import Conflict, NotFound, Repository
from chassis.failpoints import failpoint

from ..domain import (
    LEASE,
    Address,
    Happening,
    Lease,
    Money,
    NotConfigured,
    Order,
    PaymentProvider,
    PaymentState,
    ProviderDown,
    order_number,
)
from .ports import Away, Refusal
from .pricing import Basket, Pricing
from .saga import Saga

WAIT_FOR_TWIN = 5.0  # seconds
#: So many threads of a process wait that long for one order's answer; more of them only so long (seconds).
TWINS, WAIT_FOR_MANY = 3, 0.5
_LOOK = 0.1


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """What the customer asked for. ``fingerprint`` is the hash of the body, to tell a retry from another
    order."""

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
        """From the customer and the key: the account, else the cart, else the e-mail."""
        if self.account_id:
            scope = f"account:{self.account_id}"
        else:
            scope = f"cart:{self.basket.cart_id}" if self.basket.cart_id else f"email:{self.email}"
        return order_number(scope, self.key)


@dataclass(frozen=True, slots=True)
class Placed:
    """``order.answer`` says what to answer; ``replay`` that it was answered before."""

    order: Order
    replay: bool


class Placing:
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
        self._twins = Bulkhead(TWINS, long=WAIT_FOR_TWIN, short=WAIT_FOR_MANY)

    def place(self, wish: PlaceOrder) -> Placed:
        """Raises Refusal for what is not stored (422, 404, twin), Away and NotConfigured for 503."""
        by = self._new_id()
        try:
            fresh = self._draft(wish, by)
        except (Refusal, Away, NotConfigured):
            known = self._find(wish.number)
            if known is None or (known.abandoned and known.fingerprint == wish.fingerprint):
                raise
            return self._known(wish, known, by)
        try:
            failpoint("order.before_create")
            order = self._orders.add(fresh)
            failpoint("order.after_create")
        except Conflict:
            return self._known(wish, self._orders.get(fresh.id), by)
        return self._answered(wish, self._run(wish, order, self._saga.begin), by, replay=False)

    # -- a new order -------------------------------------------------------------------------------
    def _draft(self, wish: PlaceOrder, by: str) -> Order:
        if not self._payments.accepts(wish.payment_method, wish.payment_token):
            raise Refusal(422, "unknown-payment-token", "The payment provider does not know this token.")
        priced = self._pricing.price(
            wish.basket,
            account_id=wish.account_id,
            address=wish.shipping_address,
            method=wish.shipping_method,
        )
        if wish.expected_total not in (None, priced.totals.total):
            raise Refusal(422, "total-changed", "The total is not what was expected.", totals=priced.totals)
        now = self._clock()
        return Order(
            id=wish.number,
            fingerprint=wish.fingerprint,
            email=wish.email,
            shipping_address=wish.shipping_address,
            billing_address=wish.billing_address,
            shipping_method=wish.shipping_method,
            lines=priced.lines,
            totals=priced.totals,
            payment=PaymentState(self._payments.id_for(wish.number), wish.payment_method, wish.payment_token),
            placed_at=now,
            account_id=wish.account_id,
            session_id=wish.session_id,
            cart=priced.cart,
            settled=priced.cart is None,
            timeline=(Happening(now, "placed"),),
            lease=Lease(by, now + LEASE),
            wake_at=now + LEASE,
            version=1,
        )

    # -- the same key once more --------------------------------------------------------------------
    def _known(self, wish: PlaceOrder, order: Order, by: str) -> Placed:
        """Replay the answer, wait for the twin that works on it, or go on where nobody does."""
        if order.fingerprint != wish.fingerprint:
            raise Refusal(422, "idempotency-key-reused", "This Idempotency-Key was used for another order.")
        with self._twins.patience(order.id) as seconds:
            return self._wait_or_go_on(wish, order, by, looks=int(seconds / _LOOK))

    def _wait_or_go_on(self, wish: PlaceOrder, order: Order, by: str, *, looks: int) -> Placed:
        for _ in range(looks):
            if order.is_answered:
                return Placed(order, replay=True)
            taken = self._take(wish, order, by)
            if taken:
                return self._answered(wish, taken, by, replay=False)
            self._sleep(_LOOK)
            order = self._orders.get(order.id)
        raise Refusal(
            409, "idempotency-in-progress", "The first request with this key is still being worked on."
        )

    def _take(self, wish: PlaceOrder, order: Order, by: str) -> Order | None:
        """Go on with it, if nobody else does: forward, or afresh if it was given up."""
        begin = self._saga.press
        if order.abandoned:
            order.place_again(self._again(wish, order, by))
            begin = self._saga.begin
        elif not order.take(by, self._clock()):
            return None
        try:
            order = self._orders.save(order)
        except Conflict:
            return None
        return self._run(wish, order, begin)

    def _again(self, wish: PlaceOrder, order: Order, by: str) -> Order:
        draft = self._draft(wish, by)
        draft.payment.id = self._payments.id_for(order.next_hold_id)
        return draft

    # -- either ------------------------------------------------------------------------------------
    def _run(self, wish: PlaceOrder, order: Order, begin: Callable[[Order], Order]) -> Order:
        number, by = order.id, order.lease.by if order.lease else ""
        try:
            return begin(order)
        except Conflict:  # someone else went on with it while we were slow; theirs counts
            return self._orders.get(number)
        except (Away, ProviderDown, Refusal) as error:
            return self._saga.later(number, by, str(error))

    def _answered(self, wish: PlaceOrder, order: Order, by: str, *, replay: bool) -> Placed:
        if order.is_answered:
            return Placed(order, replay)
        if order.lease and order.lease.by != by:
            return self._known(wish, order, by)
        raise Away("The order cannot be taken just now; nothing is held and nothing was charged.")

    def _find(self, number: str) -> Order | None:
        try:
            return self._orders.get(number)
        except NotFound:
            return None
