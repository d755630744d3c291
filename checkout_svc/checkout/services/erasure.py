"""Removal of personal data from orders when an account is erased."""

from __future__ import annotations

from chassis.couch import Repository

from ..domain import Order

_PAGE_SIZE = 100


def anonymise_orders(orders: Repository[Order], account_id: str) -> int:
    """Anonymise every order of the account and return their number; repeating it returns 0."""
    done = 0
    while items := orders.find("account", {"account_id": account_id}, limit=_PAGE_SIZE).items:
        for order in items:
            orders.update(order.id, Order.anonymise)
            done += 1
    return done
