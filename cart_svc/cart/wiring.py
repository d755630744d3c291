"""The one place that chooses real parts."""

from __future__ import annotations

from dataclasses import dataclass

from cart import repositories
from cart.clients import SiblingCatalog
from cart.domain import Cart, Coupon
from cart.services import Keeper, OrderDesk, Shopping
from chassis.background import Job
from chassis.clock import now
from chassis.couch import Repository, couch_repository, open_store
from chassis.messaging import Relay, dead_letters
from chassis.siblings import Sibling
from chassis.wiring import Wiring

COLLECTIONS = (*repositories.COLLECTIONS, dead_letters(repositories.DATABASE))


@dataclass(frozen=True, slots=True)
class Parts:
    """The use cases; and, for the admin, what is stored."""

    carts: Repository[Cart]
    coupons: Repository[Coupon]
    shopping: Shopping
    desk: OrderDesk
    keeper: Keeper


def build() -> Parts:
    carts = couch_repository(repositories.CARTS)
    coupons = couch_repository(repositories.COUPONS)
    desk = OrderDesk(carts=carts, clock=now)
    return Parts(
        carts=carts,
        coupons=coupons,
        shopping=Shopping(
            carts=carts, coupons=coupons, catalog=SiblingCatalog(Sibling("catalog")), clock=now
        ),
        desk=desk,
        keeper=Keeper(carts=carts, desk=desk, clock=now),
    )


wiring = Wiring(build)
parts = wiring.parts

HANDLERS = {
    "order.confirmed": lambda envelope: parts().keeper.order_confirmed(envelope),
    "order.cancelled": lambda envelope: parts().keeper.order_cancelled(envelope),
    "account.erased": lambda envelope: parts().keeper.account_erased(envelope),
}

BACKGROUND = [
    *Relay(repositories.DATABASE, {"audit.recorded": ("logs",)}).jobs(),
    Job("sweeper of guests' carts", run=lambda: parts().keeper.guests_sweep(), every=600),
]
READY = {"couchdb": lambda: open_store(repositories.DATABASE).get_local("ready")}
