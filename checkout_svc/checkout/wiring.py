"""The one place that chooses real parts."""

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
from chassis.couch import Busy, Repository, Unavailable, couch_repository
from chassis.ids import new_id
from chassis.messaging import Envelope, Relay, dead_letters
from chassis.service import Wiring
from chassis.siblings import Sibling

from . import repositories
from .clients import SiblingCarts, SiblingCatalog
from .domain import Order, PaymentProvider
from .post import DjangoPost
from .provider.builtin import TestProvider
from .provider.ledger import LedgerEntry
from .provider.missing import NoProvider
from .services import (
    Carts,
    Catalog,
    Mailing,
    Orders,
    Placing,
    Post,
    Pricing,
    Reconciler,
    Saga,
    Sweeper,
    anonymise_orders,
)

log = logging.getLogger(__name__)

COLLECTIONS = (repositories.ORDERS, repositories.LEDGER, dead_letters("orders"))
MAIL_TASK = "checkout.send_confirmation"
SUBSCRIPTIONS = {
    "order.confirmed": ("logs", "reco", "catalog", "cart"),
    "order.cancelled": ("logs", "reco", "catalog", "cart"),
    "order.refunded": ("logs", "reco", "catalog", "cart"),
    "audit.recorded": ("logs",),
}


@dataclass
class Parts:
    orders: Repository[Order]
    payments: PaymentProvider
    sandbox: TestProvider | None
    pricing: Pricing
    saga: Saga
    placing: Placing
    desk: Orders
    sweeper: Sweeper
    mailing: Mailing
    reconciler: Reconciler


def assemble(
    *,
    orders: Repository[Order],
    ledger: Repository[LedgerEntry],
    catalog: Catalog,
    carts: Carts,
    send_mail: Callable[[str], bool],
    post: Post,
    now: Callable[[], datetime] = clock.now,
    sleep: Callable[[float], None] = time.sleep,
) -> Parts:
    """All use cases over these; tests give fakes with the same interface."""
    sandbox = _sandbox(ledger, now) if settings.DEMO else None
    payments: PaymentProvider = sandbox or NoProvider()
    pricing = Pricing(catalog, carts)
    saga = Saga(orders, payments, catalog, carts, send_mail=send_mail, clock=now)
    desk = Orders(orders, saga, new_id=new_id, secret=settings.SECRET_KEY, clock=now)
    return Parts(
        orders=orders,
        payments=payments,
        sandbox=sandbox,
        pricing=pricing,
        saga=saga,
        placing=Placing(orders, pricing, payments, saga, new_id=new_id, clock=now, sleep=sleep),
        desk=desk,
        sweeper=Sweeper(orders, saga, new_id=new_id, clock=now),
        reconciler=Reconciler(orders, payments, catalog, clock=now),
        mailing=Mailing(
            orders,
            post,
            public_url=settings.PUBLIC_URL,
            token=desk.token,
            clock=now,
            demo=settings.DEMO,
        ),
    )


def _sandbox(ledger: Repository[LedgerEntry], now: Callable[[], datetime]) -> TestProvider:
    """Test cards pay in a demo, and nowhere else."""
    return TestProvider(
        ledger,
        action_url=action_url,
        unknown_for=timedelta(seconds=settings.TEST_PAYMENT_UNKNOWN_SECONDS),
        clock=now,
    )


def _build() -> Parts:
    return assemble(
        orders=couch_repository(repositories.ORDERS),
        ledger=couch_repository(repositories.LEDGER),
        catalog=SiblingCatalog(Sibling("catalog")),
        carts=SiblingCarts(Sibling("cart")),
        send_mail=lambda number: jobs.send(MAIL_TASK, number, queue="checkout"),
        post=DjangoPost(),
    )


wiring: Wiring[Parts] = Wiring(_build)


def parts() -> Parts:
    return wiring.parts()


def action_key(payment_id: str) -> str:
    """Who may decide about a payment on the test provider's page: whoever was sent there."""
    return hmac.new(
        settings.SECRET_KEY.encode(), f"payment:{payment_id}".encode(), hashlib.sha256
    ).hexdigest()[:40]


def action_url(payment_id: str) -> str:
    return f"{settings.PUBLIC_URL}/api/checkout/test-payments/{payment_id}?key={action_key(payment_id)}"


def _account_erased(envelope: Envelope) -> str:
    done = anonymise_orders(parts().orders, str(envelope.data["account_id"]))
    return "done" if done else "duplicate"


HANDLERS = {"account.erased": _account_erased}


def _sweep() -> None:
    """A store that is away is looked for every second: what is stuck because of it must not wait longer."""
    try:
        parts().sweeper.sweep()
    except (Unavailable, Busy) as error:
        log.warning("the sweeper waits for the store: %s", error)


RELAY = Relay("orders", SUBSCRIPTIONS)
BACKGROUND = [Job("sweeper", _sweep, every=1.0), *RELAY.jobs()]
READY: Mapping[str, Callable[[], object]] = {
    "couch": lambda: parts().orders.get_many(["nobody"]),
    "payment provider": lambda: bool(parts().payments.methods),
}
#: Without a payment provider the shop browses, and quotes; only orders are refused.
SPARE = frozenset({"payment provider"})
