"""The steps of seeding, each through the shop's own API, each with its progress."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local.seed import history as visits
from local.seed import pictures
from local.seed.goods import CURRENCY, Good, slugify
from local.seed.shop import Shop, ShopRefused

ROOT = Path(__file__).resolve().parents[2]
WAIT_FOR_PICTURES = 240.0  # seconds; a few on a quiet machine
WAIT_FOR_MODEL = 120.0


class SeedFailed(Exception):
    """A step did not come to its end; the message says which and why."""


def create_categories(shop: Shop, goods: list[Good]) -> None:
    """Return the two-level category tree, parents first."""
    known = {slug for node in _tree(shop) for slug in (node["slug"], *(c["slug"] for c in node["children"]))}
    tree: dict[str, dict[str, None]] = {}
    for good in goods:
        tree.setdefault(good.category, {})[good.subcategory] = None
    for position, (parent, children) in enumerate(tree.items()):
        _category(shop, known, parent, None, position)
        for place, child in enumerate(children):
            _category(shop, known, child, slugify(parent), place)
    _say("categories", len(tree), len(tree))


def create_products(shop: Shop, goods: list[Good]) -> dict[str, str]:
    """Products, stock and pictures; answers the id of each title."""
    ids: dict[str, str] = {}
    with ThreadPoolExecutor(3) as workers:
        for number, (good, product_id) in enumerate(
            zip(goods, workers.map(lambda good: _product(shop, good), goods), strict=True), start=1
        ):
            ids[good.title] = product_id
            _say("products, stock and pictures", number, len(goods))
    return ids


def import_history(goods: list[Good], ids: dict[str, str]) -> None:
    """Two months of made-up visits, marked as demo data, by logs_svc's own command."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
        for event in visits.visits(goods, ids, datetime.now(UTC)):
            file.write(json.dumps(event) + "\n")
        file.flush()
        command = [sys.executable, "manage.py", "import_events", file.name]
        result = subprocess.run(command, cwd=ROOT / "logs_svc", check=False)
    if result.returncode:
        raise SeedFailed(f"the history could not be imported (exit code {result.returncode})")


def wait_for_pictures(shop: Shop) -> None:
    """Wait until every product has its picture."""

    def count_done() -> tuple[int, int]:
        cards = _all_cards(shop)
        return sum(1 for card in cards if card["image"]), len(cards)

    _wait("pictures ready", count_done, WAIT_FOR_PICTURES)


def train_first_model(shop: Shop, ids: dict[str, str]) -> None:
    """Trains, and waits until the last product has neighbours to show."""
    training = shop.post("/api/reco/trainings", {})

    def trained() -> tuple[int, int]:
        state = shop.get(f"/api/reco/trainings/{training['id']}")
        if state["status"] == "failed":
            raise SeedFailed(f"the first training failed: {state['reason']}")
        return int(100 * state["progress"]), 100

    waiting = set(ids.values())

    def shown() -> tuple[int, int]:
        for product_id in sorted(waiting):
            if shop.get(f"/api/reco/similar/{product_id}?limit=1")["results"]:
                waiting.discard(product_id)
        return len(ids) - len(waiting), len(ids)

    _wait("first model, per cent", trained, WAIT_FOR_MODEL)
    _wait("products with neighbours", shown, WAIT_FOR_MODEL)


def _category(shop: Shop, known: set[str], title: str, parent: str | None, position: int) -> None:
    slug = slugify(title)
    if slug not in known:
        body: dict[str, Any] = {"title": title, "slug": slug, "position": position}
        shop.post("/api/catalog/categories", body | ({"parent": parent} if parent else {}))


def _product(shop: Shop, good: Good) -> str:
    try:
        product = shop.get(f"/api/catalog/products/{good.slug}")
    except ShopRefused:
        product = shop.post("/api/catalog/products", _body(good))
        for sku, _, units in good.variants():
            shop.put(f"/api/catalog/stock/{sku}", {"on_hand": units})
    if not product["images"]:
        path = f"/api/catalog/products/{good.slug}/images"
        shop.upload(path, pictures.compose(good), f"{good.slug}.jpg", good.title)
    return str(product["id"])


def _body(good: Good) -> dict[str, Any]:
    def money(amount: int | None) -> dict[str, Any] | None:
        return None if amount is None else {"amount": amount, "currency": CURRENCY}

    price = {"price": money(good.price), "compare_at_price": money(good.compare_at)}
    return {
        "slug": good.slug,
        "title": good.title,
        "description": good.description,
        "brand": good.brand,
        "category": slugify(good.subcategory),
        "variants": [
            {"sku": sku, "attributes": attributes, **price} for sku, attributes, _ in good.variants()
        ],
    }


def _tree(shop: Shop) -> list[dict[str, Any]]:
    answer = shop.get("/api/catalog/categories")
    return list(answer)


def _all_cards(shop: Shop) -> list[dict[str, Any]]:
    cards: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = shop.get(f"/api/catalog/products?limit=100{cursor and '&cursor=' + cursor}")
        cards += page["results"]
        if not page["next"]:
            return cards
        cursor = page["next"]


def _wait(what: str, count_done: Callable[[], tuple[int, int]], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        done, wanted = count_done()
        _say(what, done, wanted)
        if done >= wanted:
            return
        if time.monotonic() > deadline:
            raise SeedFailed(f"{what}: {done} of {wanted} after {seconds:.0f} s")
        time.sleep(0.5)


_last: dict[str, float] = {}


def _say(what: str, done: int, wanted: int) -> None:
    """Return a line a second at most, and the last one always."""
    if done >= wanted or time.monotonic() - _last.get(what, 0.0) > 1.0:
        _last[what] = time.monotonic()
        print(f"{what}: {done} of {wanted}", flush=True)
