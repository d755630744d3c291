"""Recovery of interrupted orders: a lost request, queue or process costs seconds, not orders."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from chassis.couch import Conflict, Repository
from chassis.failpoints import failpoint

from ..domain import Order
from .saga import Saga

BATCH = 50
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class OrderRecovery:
    """Resumes orders whose next attempt is due."""

    def __init__(
        self,
        orders: Repository[Order],
        saga: Saga,
        *,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._orders, self._saga, self._clock, self._new_id = orders, saga, clock, new_id

    def resume_due(self) -> int:
        """Resume every order whose next attempt is due, and return how many were due."""
        due = self._orders.find("wake", start=EPOCH, end=self._clock(), limit=BATCH).items
        for order in due:
            try:
                self.resume(order)
            except Conflict:
                continue  # another worker has it
        return len(due)

    def resume(self, order: Order) -> Order:
        """Acquire the lease and run the order; what fails is retried later and shown to staff in the end."""
        if not order.acquire_lease(self._new_id(), self._clock()):
            return order
        failpoint("sweeper.before_take")
        order = self._orders.save(order)
        failpoint("sweeper.after_take")
        return self._saga.run_to_completion(order)
