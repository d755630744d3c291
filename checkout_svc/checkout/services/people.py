"""What happens to orders when the person behind them goes."""

from __future__ import annotations

from chassis.couch import Repository

from ..domain import Order

_MANY = 100


def anonymise_orders(orders: Repository[Order], account_id: str) -> int:
    """Every order of the account stays, without its person; repeating it finds nothing more. How many there
    were."""
    done = 0
    while items := orders.find("account", {"account_id": account_id}, limit=_MANY).items:
        for order in items:
            orders.update(order.id, Order.anonymise)
            done += 1
    return done
