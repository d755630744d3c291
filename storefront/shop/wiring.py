"""The one place that builds the real parts."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings

from chassis.siblings import Sibling
from chassis.wiring import Wiring
from shop.clients import Auth, Cart, Catalog, Checkout, Logs, Reco
from shop.services import Browsing, Buying, People
from shop.services.shelves import Shelves


@dataclass(frozen=True, slots=True)
class Parts:
    browsing: Browsing
    shelves: Shelves
    buying: Buying
    people: People
    logs: Logs


def build(sleep: Callable[[float], None] = time.sleep) -> Parts:
    """Everything over the gateway's inner listener; the storefront holds no data of its own.

    `sleep` is how the cart waits between its tries; tests do not wait.
    """
    cart, catalog, reco = Cart(Sibling("cart")), Catalog(Sibling("catalog")), Reco(Sibling("reco"))
    browsing = Browsing(
        catalog=catalog, reco=reco, locale=settings.SHOP_LOCALE, public_url=settings.PUBLIC_URL
    )
    return Parts(
        browsing=browsing,
        shelves=Shelves(
            catalog=catalog,
            reco=reco,
            nearby=browsing.nearby,
            locale=settings.SHOP_LOCALE,
            control=settings.AB_CONTROL_PERCENT,
        ),
        buying=Buying(
            cart=cart, checkout=Checkout(Sibling("checkout")), locale=settings.SHOP_LOCALE, sleep=sleep
        ),
        people=People(auth=Auth(Sibling("auth")), cart=cart),
        logs=Logs(Sibling("logs")),
    )


wiring = Wiring(build)
