"""Measures the shop and prints the table of docs/benchmarks.md."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from local.bench import load_shop
from local.bench.shop import Shop, running


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--orders", type=int, default=100)
    parser.add_argument("--idle", type=float, default=60.0, help="seconds after ready until memory is read")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hivemart-bench-") as folder:
        data = Path(folder) / "var"
        with running(data) as shop:
            _row("first start, demo goods and first model included", f"{shop.seconds_to_ready:.1f} s")
        with running(data) as shop:
            _row("second start, from the command to /healthz ok", f"{shop.seconds_to_ready:.1f} s")
            time.sleep(arguments.idle)
            sizes = shop.pss_bytes()
            _row(f"memory of {len(sizes)} processes, idle (PSS)", f"{sum(sizes.values()) / 2**20:.0f} MB")
            _requests(shop, arguments.requests)
            _orders(shop, arguments.orders)


def _requests(shop: Shop, requests: int) -> None:
    slugs = [card["slug"] for card in _cards(shop)]
    # All but the last ask for another address each time, so that the gateway's two-second cache answers none.
    paths: dict[str, Callable[[int], str]] = {
        "product list, JSON": lambda n: f"/api/catalog/products?min_price={n + 1000}",
        "product list, page": lambda n: f"/search?min_price={n / 100 + 10:.2f}",
        "product detail, JSON": lambda n: f"/api/catalog/products/{slugs[n % len(slugs)]}",
        "product detail, page": lambda n: f"/p/{slugs[n % len(slugs)]}",
        "product list, JSON, from the gateway's cache": lambda _: "/api/catalog/products",
    }
    idle = load_shop.idle_share(shop)
    _row("CPU of the idle shop, taken off below", f"{100 * idle:.0f} % of one core")
    for name, path in paths.items():
        one = load_shop.cost(shop, name, path, requests, idle=idle)
        _row(f"{one.name}: CPU of all processes", f"{one.cpu_ms:.2f} ms")


def _orders(shop: Shop, orders: int) -> None:
    skus = [card["sku"] for card in _cards(shop) if card.get("sku") and card["availability"] == "in_stock"]
    for buyers in (1, 8):
        rate = load_shop.orders_per_second(shop, skus, buyers=buyers, orders=orders)
        _row(f"orders, {buyers} at once", f"{rate:.1f} a second")


def _cards(shop: Shop) -> list[dict[str, str]]:
    with urllib.request.urlopen(f"{shop.url}/api/catalog/products?limit=100") as answer:  # noqa: S310  # our own address
        cards: list[dict[str, str]] = json.load(answer)["results"]
        return cards


def _row(name: str, value: str) -> None:
    print(f"| {name} | {value} |", flush=True)


main()
