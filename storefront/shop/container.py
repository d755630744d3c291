"""Composition root: the one place that builds services with real clients."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings

from chassis.clients import ServiceClient
from chassis.container import Container
from shop.clients import Auth, Cart, Catalog, Checkout, Logs, Reco
from shop.services import AccountService, CatalogService, OrderService
from shop.services.shelves import ShelfService


@dataclass(frozen=True, slots=True)
class Dependencies:
    catalog: CatalogService
    shelves: ShelfService
    orders: OrderService
    accounts: AccountService
    logs: Logs


def bootstrap(sleep: Callable[[float], None] = time.sleep) -> Dependencies:
    """Build all services over the gateway's inner listener.

    `sleep` is the wait between attempts to add to the cart; tests do not wait.
    """
    cart, catalog, reco = (
        Cart(ServiceClient("cart")),
        Catalog(ServiceClient("catalog")),
        Reco(ServiceClient("reco")),
    )
    catalog_service = CatalogService(
        catalog=catalog, reco=reco, locale=settings.SHOP_LOCALE, public_url=settings.PUBLIC_URL
    )
    return Dependencies(
        catalog=catalog_service,
        shelves=ShelfService(
            catalog=catalog,
            reco=reco,
            popular_in_category=catalog_service.popular_in_category,
            locale=settings.SHOP_LOCALE,
            control=settings.AB_CONTROL_PERCENT,
        ),
        orders=OrderService(
            cart=cart, checkout=Checkout(ServiceClient("checkout")), locale=settings.SHOP_LOCALE, sleep=sleep
        ),
        accounts=AccountService(auth=Auth(ServiceClient("auth")), cart=cart),
        logs=Logs(ServiceClient("logs")),
    )


container = Container(bootstrap)
