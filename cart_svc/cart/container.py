"""The container of this service: the one place that chooses real adapters."""

from __future__ import annotations

from dataclasses import dataclass

from cart import repositories
from cart.clients import CatalogClient
from cart.domain import Cart, Coupon
from cart.services import CartService, CheckoutCartService, EventHandlers, GuestCartCleanup
from chassis.background import Job
from chassis.clients import ServiceClient
from chassis.clock import now
from chassis.container import Container
from chassis.couch import Repository, couch_repository, open_store
from chassis.messaging import Relay, dead_letters

COLLECTIONS = (*repositories.COLLECTIONS, dead_letters(repositories.DATABASE))


@dataclass(frozen=True, slots=True)
class Dependencies:
    """The use cases and, for the admin, the repositories."""

    carts: Repository[Cart]
    coupons: Repository[Coupon]
    cart_service: CartService
    checkout_cart_service: CheckoutCartService
    event_handlers: EventHandlers
    cleanup: GuestCartCleanup


def build() -> Dependencies:
    carts = couch_repository(repositories.CARTS)
    coupons = couch_repository(repositories.COUPONS)
    checkout_cart_service = CheckoutCartService(carts=carts, clock=now)
    return Dependencies(
        carts=carts,
        coupons=coupons,
        cart_service=CartService(
            carts=carts, coupons=coupons, catalog=CatalogClient(ServiceClient("catalog")), clock=now
        ),
        checkout_cart_service=checkout_cart_service,
        event_handlers=EventHandlers(carts=carts, checkout_cart_service=checkout_cart_service),
        cleanup=GuestCartCleanup(carts=carts, clock=now),
    )


container = Container(build)
dependencies = container.get

HANDLERS = {
    "order.confirmed": lambda envelope: dependencies().event_handlers.order_confirmed(envelope),
    "order.cancelled": lambda envelope: dependencies().event_handlers.order_cancelled(envelope),
    "account.erased": lambda envelope: dependencies().event_handlers.account_erased(envelope),
}

RELAY = Relay(repositories.DATABASE, {"audit.recorded": ("logs",)})
BACKGROUND = [
    *RELAY.jobs(),
    Job("sweeper of guests' carts", run=lambda: dependencies().cleanup.delete_expired(), every=600),
]
READY = {"couchdb": lambda: open_store(repositories.DATABASE).get_local("ready")}
