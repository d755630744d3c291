"""What puts every order back on its way: a lost request, queue or process costs seconds, not orders."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from chassis.couch import Conflict, Repository
from chassis.failpoints import failpoint

from ..domain import Order
from .saga import Saga

BATCH = 50
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Sweeper:
    def __init__(
        self,
        orders: Repository[Order],
        saga: Saga,
        *,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._orders, self._saga, self._clock, self._new_id = orders, saga, clock, new_id

    def sweep(self) -> int:
        """Go on with every order whose time has come; how many were looked at."""
        due = self._orders.find("wake", start=EPOCH, end=self._clock(), limit=BATCH).items
        for order in due:
            try:
                self.resume(order)
            except Conflict:
                continue  # someone else is faster
        return len(due)

    def resume(self, order: Order) -> Order:
        """Take the lease and go on; what fails is tried again later and shown to staff in the end."""
        if not order.take(self._new_id(), self._clock()):
            return order
        failpoint("sweeper.before_take")
        order = self._orders.save(order)
        failpoint("sweeper.after_take")
        return self._saga.settle(order)
