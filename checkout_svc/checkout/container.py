"""The container of this service: the one place that chooses real adapters."""

from __future__ import annotations

import hashlib
import hmac
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from chassis import clock, jobs
from chassis.background import Job
from chassis.clients import ServiceClient
from chassis.couch import Busy, Repository, Unavailable, couch_repository
from chassis.ids import new_id
from chassis.messaging import Envelope, Relay, dead_letters
from chassis.service import Container

from . import repositories
from .clients import CartClient, CatalogClient
from .domain import Order, PaymentProvider
from .mailer import DjangoMailer
from .provider.ledger import LedgerEntry
from .provider.sandbox import SandboxProvider
from .provider.unconfigured import UnconfiguredProvider
from .services import (
    Carts,
    Catalog,
    Mailer,
    OrderMailService,
    OrderRecovery,
    OrderService,
    PlaceOrder,
    Pricing,
    Reconciler,
    Saga,
    anonymise_orders,
)

log = logging.getLogger(__name__)

COLLECTIONS = (repositories.ORDERS, repositories.LEDGER, dead_letters("orders"))
MAIL_TASK = "checkout.send_confirmation"
SUBSCRIPTIONS = {
    "order.confirmed": ("logs", "catalog", "cart"),
    "order.cancelled": ("catalog", "cart"),
    "audit.recorded": ("logs",),
}


@dataclass
class Dependencies:
    orders: Repository[Order]
    payments: PaymentProvider
    sandbox: SandboxProvider | None
    pricing: Pricing
    saga: Saga
    place_order: PlaceOrder
    order_service: OrderService
    recovery: OrderRecovery
    order_mail: OrderMailService
    reconciler: Reconciler


def bootstrap(
    *,
    orders: Repository[Order],
    ledger: Repository[LedgerEntry],
    catalog: Catalog,
    carts: Carts,
    send_mail: Callable[[str], bool],
    mailer: Mailer,
    now: Callable[[], datetime] = clock.now,
    sleep: Callable[[float], None] = time.sleep,
) -> Dependencies:
    """Return all use cases over these adapters; tests pass fakes with the same interface."""
    sandbox = _sandbox(ledger, now) if settings.DEMO else None
    payments: PaymentProvider = sandbox or UnconfiguredProvider()
    pricing = Pricing(catalog, carts)
    saga = Saga(orders, payments, catalog, carts, send_mail=send_mail, clock=now)
    order_service = OrderService(orders, saga, new_id=new_id, secret=settings.SECRET_KEY, clock=now)
    return Dependencies(
        orders=orders,
        payments=payments,
        sandbox=sandbox,
        pricing=pricing,
        saga=saga,
        place_order=PlaceOrder(orders, pricing, payments, saga, new_id=new_id, clock=now, sleep=sleep),
        order_service=order_service,
        recovery=OrderRecovery(orders, saga, new_id=new_id, clock=now),
        reconciler=Reconciler(orders, payments, catalog, clock=now),
        order_mail=OrderMailService(
            orders,
            mailer,
            public_url=settings.PUBLIC_URL,
            token=order_service.token,
            clock=now,
            demo=settings.DEMO,
        ),
    )


def _sandbox(ledger: Repository[LedgerEntry], now: Callable[[], datetime]) -> SandboxProvider:
    """Return the sandbox provider, whose test cards pay in a demo only."""
    return SandboxProvider(
        ledger,
        action_url=action_url,
        unknown_for=timedelta(seconds=settings.TEST_PAYMENT_UNKNOWN_SECONDS),
        clock=now,
    )


def _build() -> Dependencies:
    return bootstrap(
        orders=couch_repository(repositories.ORDERS),
        ledger=couch_repository(repositories.LEDGER),
        catalog=CatalogClient(ServiceClient("catalog")),
        carts=CartClient(ServiceClient("cart")),
        send_mail=lambda number: jobs.send(MAIL_TASK, number, queue="checkout"),
        mailer=DjangoMailer(),
    )


container: Container[Dependencies] = Container(_build)


def dependencies() -> Dependencies:
    return container.get()


def action_key(payment_id: str) -> str:
    """Return the key that authorises a decision on the sandbox provider's page."""
    return hmac.new(
        settings.SECRET_KEY.encode(), f"payment:{payment_id}".encode(), hashlib.sha256
    ).hexdigest()[:40]


def action_url(payment_id: str) -> str:
    return f"{settings.PUBLIC_URL}/api/checkout/test-payments/{payment_id}?key={action_key(payment_id)}"


def _account_erased(envelope: Envelope) -> str:
    done = anonymise_orders(dependencies().orders, str(envelope.data["account_id"]))
    return "done" if done else "duplicate"


HANDLERS = {"account.erased": _account_erased}


def _resume_due_orders() -> None:
    """Resume due orders; while the database is unavailable, try again every second."""
    try:
        dependencies().recovery.resume_due()
    except (Unavailable, Busy) as error:
        log.warning("the recovery of orders waits for the database: %s", error)


RELAY = Relay("orders", SUBSCRIPTIONS)
BACKGROUND = [Job("sweeper", _resume_due_orders, every=1.0), *RELAY.jobs()]
READY: Mapping[str, Callable[[], object]] = {
    "couch": lambda: dependencies().orders.get_many(["nobody"]),
    "payment provider": lambda: bool(dependencies().payments.methods),
}
#: Without a payment provider the shop browses, and quotes; only orders are refused.
SPARE = frozenset({"payment provider"})
