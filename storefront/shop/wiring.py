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


@dataclass(frozen=True, slots=True)
class Parts:
    browsing: Browsing
    buying: Buying
    people: People
    logs: Logs


def build(sleep: Callable[[float], None] = time.sleep) -> Parts:
    """Everything over the gateway's inner listener; the storefront holds no data of its own.

    `sleep` is how the cart waits between its tries; tests do not wait.
    """
    cart = Cart(Sibling("cart"))
    return Parts(
        browsing=Browsing(
            catalog=Catalog(Sibling("catalog")),
            reco=Reco(Sibling("reco")),
            locale=settings.SHOP_LOCALE,
            public_url=settings.PUBLIC_URL,
        ),
        buying=Buying(
            cart=cart, checkout=Checkout(Sibling("checkout")), locale=settings.SHOP_LOCALE, sleep=sleep
        ),
        people=People(auth=Auth(Sibling("auth")), cart=cart),
        logs=Logs(Sibling("logs")),
    )


wiring = Wiring(build)
