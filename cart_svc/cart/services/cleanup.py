"""Cleanup of guests' carts that are no longer used."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from cart.domain import Cart
from chassis.couch import Conflict, NotFound, Repository

log = logging.getLogger(__name__)

GUEST_CART_LIFETIME = timedelta(days=60)  # since the last change
BATCH_SIZE = 100


class GuestCartCleanup:
    """Deletes guests' carts after GUEST_CART_LIFETIME."""

    def __init__(self, *, carts: Repository[Cart], clock: Callable[[], datetime]) -> None:
        self._carts, self._clock = carts, clock

    def delete_expired(self) -> int:
        """Delete a batch of guests' carts unchanged for 60 days, and return how many had expired."""
        old = self._carts.find(
            "by_owner", {"guest": True}, end=self._clock() - GUEST_CART_LIFETIME, limit=BATCH_SIZE
        )
        for cart in old:
            try:
                self._carts.delete(cart)
            except (Conflict, NotFound):
                log.info("an expired guest cart changed before it was deleted; kept")
        return len(old)
