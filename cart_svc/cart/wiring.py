"""The one place that chooses real parts."""

from __future__ import annotations

from dataclasses import dataclass

from cart import repositories
from cart.clients import SiblingCatalog
from cart.services import Coupons, Keeper, OrderDesk, Shopping
from chassis.background import Job
from chassis.clock import now
from chassis.couch import couch_repository
from chassis.siblings import Sibling
from chassis.wiring import Wiring

COLLECTIONS = repositories.COLLECTIONS


@dataclass(frozen=True, slots=True)
class Parts:
    shopping: Shopping
    desk: OrderDesk
    keeper: Keeper
    coupons: Coupons


def build() -> Parts:
    carts = couch_repository(repositories.CARTS)
    coupons = couch_repository(repositories.COUPONS)
    desk = OrderDesk(carts=carts, clock=now)
    return Parts(
        shopping=Shopping(
            carts=carts, coupons=coupons, catalog=SiblingCatalog(Sibling("catalog")), clock=now
        ),
        desk=desk,
        keeper=Keeper(carts=carts, desk=desk, clock=now),
        coupons=Coupons(coupons=coupons),
    )


wiring = Wiring(build)
parts = wiring.parts

HANDLERS = {
    "order.confirmed": lambda envelope: parts().keeper.order_confirmed(envelope),
    "order.cancelled": lambda envelope: parts().keeper.order_cancelled(envelope),
    "account.erased": lambda envelope: parts().keeper.account_erased(envelope),
}

BACKGROUND = [Job("sweeper of guests' carts", run=lambda: parts().keeper.guests_sweep(), every=600)]
