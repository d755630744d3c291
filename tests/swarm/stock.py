"""A few of the demo shop's goods, with pictures, and much of each: what the tests buy."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from typing import Any

from local.seed import steps
from local.seed.goods import Good, load
from local.seed.shop import Shop, ShopRefused
from tests.swarm.stack import EMAIL, PASSWORD, Stack

TITLES = ("Acoustic guitar", "Teddy bear", "Green tea", "Cookies", "Honey", "Torch", "Tent for two")
COUNT = 10
UNITS = 50_000


def fill(stack: Stack) -> None:
    """Put goods on the shelves of an empty shop; `stack.goods` and `stack.supplied` say what."""
    shop = _shop(stack)
    goods = _chosen()
    steps.create_categories(shop, goods)
    with contextlib.suppress(ShopRefused):  # the demo's goods may be games themselves
        shop.post("/api/catalog/categories", {"title": "Games", "slug": "games", "position": 99})
    ids = steps.create_products(shop, goods)
    _pictures(stack, goods)
    sold = _sold(stack)
    for good in goods:
        sku = good.variants()[0][0]
        shop.put(f"/api/catalog/stock/{sku}", {"on_hand": UNITS})
        stack.supplied[sku] = UNITS + sold[sku]
        stack.goods.append({"sku": sku, "slug": good.slug, "id": ids[good.title], "title": good.title})


def _pictures(stack: Stack, goods: list[Good]) -> None:
    """Until every one of the goods has its picture; what other tests made has none."""
    client = stack.client()

    def done() -> bool:
        paths = [f"/api/catalog/products/{good.slug}" for good in goods]
        return all(image["renditions"] for path in paths for image in client.get(path).json["images"])

    stack.until(done, 240, "all pictures")


def _sold(stack: Stack) -> Counter[str]:
    """Units by SKU, where a run takes up the stack of the one before (SWARM_KEEP)."""
    sold: Counter[str] = Counter()
    for order in stack.documents("orders"):
        if order.get("type") == "order" and order["status"] == "confirmed":
            for line in order["lines"]:
                sold[line["sku"]] += line["quantity"]
    return sold


def _chosen() -> list[Good]:
    every = load()
    first = [good for good in every if good.title in TITLES]
    return first + [good for good in every if good not in first][: COUNT - len(first)]


def _shop(stack: Stack) -> Shop:
    """Return the administrator gets the role just after the account: asked until both are there."""
    end = time.monotonic() + 60
    while True:
        try:
            shop: Any = Shop(stack.url, EMAIL, PASSWORD)
            shop.get("/api/checkout/orders?status=pending")
            return shop
        except (ShopRefused, OSError):
            assert time.monotonic() < end, "the administrator cannot sign in"
            time.sleep(0.5)
