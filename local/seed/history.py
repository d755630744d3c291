"""A made-up history of visits: people browse within a theme, put things together, some buy.

Deterministic (a fixed seed), marked `demo`, and dense enough that each product has neighbours.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from local.seed.goods import CURRENCY, Good

SEED = 20261122
DAYS = 60
VISITS_PER_PRODUCT = 3
NAMESPACE = uuid.UUID("5c0d4f5e-8a53-4b6c-9f2f-6d0a5a3a7f10")

# Titles that people look at and buy together, across the category tree.
THEMES = (
    ("Wireless headphones", "Laptop 14 inch", "Mechanical keyboard", "Optical mouse", "Desktop monitor"),
    ("Studio microphone", "Wireless headphones", "Bookshelf speaker", "Acoustic guitar", "Digital piano"),
    ("Tent for two", "Torch", "Compass", "Hiking boots", "Backpack", "Power bank"),
    ("Frying pan", "Cook's knife", "Wooden spoon", "Bread at home, book", "Olives"),
    ("Teapot", "Green tea", "Cookies", "Honey", "Soup bowl"),
    ("Coffee beans", "Milk bottle", "Chocolate bar", "Cookies"),
    ("Running shoes", "T-shirt", "Shorts", "Stopwatch", "Baseball cap"),
    ("Skis", "Gloves", "Wool scarf", "Winter boots", "Winter coat", "Sledge"),
    ("Swimsuit", "Flip-flops", "Sunglasses", "Sun hat", "Diving mask"),
    ("Two-seat sofa", "Floor lamp", "Picture frame", "Candle, unscented", "Vase, hand thrown"),
    ("Potted plant", "Bucket", "Garden shears", "Gardening year, book", "Sunflower seeds"),
    ("Telescope", "Star atlas, book", "Torch", "Jigsaw puzzle"),
    ("Teddy bear", "Nesting dolls", "Crayons", "Balloons, twenty", "Jigsaw puzzle"),
    ("Chess set", "Playing cards", "Dice, six", "Red wine", "Cheese"),
    ("Notebook", "Fountain pen", "Pencil, a dozen", "Ruler", "Paper clips"),
    ("Dress shirt and tie", "Leather shoes", "Briefcase", "Wrist watch", "Umbrella"),
    ("Summer dress", "Sandals", "Handbag", "Sunglasses", "Silver ring"),
    ("Hammer", "Screwdriver", "Wrench", "Toolbox", "Ladder", "Hand saw"),
    ("Shower head", "Olive soap", "Shampoo bar bottle", "Toothbrush", "Bath sponge"),
    ("Bicycle", "Backpack", "Power bank", "Door lock", "Wheel kit"),
)


def visits(goods: list[Good], ids: dict[str, str], now: datetime) -> Iterator[dict[str, Any]]:
    """Events as logs_svc's `import_events` reads them; `ids` maps title to product id; oldest not first."""
    rng = random.Random(SEED)  # noqa: S311  # the same history every time is the point
    for number, start in enumerate(_starts(goods)):
        began = now - timedelta(days=rng.triangular(0, DAYS, 0), minutes=rng.randrange(60))
        yield from _visit(rng, number, _basket(rng, goods, start), ids, began)


def _starts(goods: list[Good]) -> Iterator[Good]:
    for _ in range(VISITS_PER_PRODUCT):
        yield from goods


def _basket(rng: random.Random, goods: list[Good], start: Good) -> list[Good]:
    """Three to six things of one mind: a theme that holds the first, and its shelf."""
    by_title = {good.title: good for good in goods}
    themes = [theme for theme in THEMES if start.title in theme]
    same_theme = [by_title[title] for theme in themes for title in theme if title != start.title]
    same_subcategory = [
        good
        for good in goods
        if (good.category, good.subcategory) == (start.category, start.subcategory) and good != start
    ]
    chosen = [start]
    for pool, wanted in ((same_theme, rng.randint(2, 4)), (same_subcategory, rng.randint(1, 2))):
        chosen += [good for good in rng.sample(pool, min(wanted, len(pool))) if good not in chosen]
    return chosen


def _visit(
    rng: random.Random, number: int, basket: list[Good], ids: dict[str, str], began: datetime
) -> Iterator[dict[str, Any]]:
    session = f"demo-{number:05d}"
    person = f"demo-person-{number % 211:03d}" if rng.random() < 0.6 else None
    added = [good for good in basket if rng.random() < 0.4]
    bought = added if added and rng.random() < 0.5 else []
    total = {"amount": sum(good.price for good in bought), "currency": CURRENCY}
    steps = [("view", basket), ("add_to_cart", added), ("purchase", bought)]
    moment = began
    for type_, step_goods in steps:
        for place, good in enumerate(step_goods):
            order = {"total": total} if type_ == "purchase" and place == 0 else {}
            moment += timedelta(seconds=rng.randint(8, 70))
            yield {
                "id": str(uuid.uuid5(NAMESPACE, f"{session}/{type_}/{good.title}")),
                "type": type_,
                "user": person,
                "session_id": session,
                "product_id": ids[good.title],
                "at": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "quantity": 1,
                "data": {"demo": True, **order},
            }
