"""Bounded load on the shop's own address: pages and lists one by one, orders by several buyers."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import urllib3

from local.bench.shop import Shop

ADDRESS = {
    "name": "Bench Buyer",
    "line1": "Teststraat 1",
    "postal_code": "1000",
    "city": "Brussels",
    "country": "BE",
}


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU of all processes and wall time, in milliseconds a request."""

    name: str
    requests: int
    cpu_ms: float
    wall_ms: float


def idle_share(shop: Shop, seconds: float = 10.0) -> float:
    """CPU-seconds a second that the shop uses while nobody asks for anything."""
    before, began = shop.cpu_seconds(), time.perf_counter()
    time.sleep(seconds)
    return (shop.cpu_seconds() - before) / (time.perf_counter() - began)


def cost(shop: Shop, name: str, path: Callable[[int], str], requests: int, *, idle: float) -> Cost:
    """Send GETs one after another, after a warm-up of a tenth; what the idle shop uses is taken off."""
    pool = urllib3.PoolManager(num_pools=1, headers={"Accept-Encoding": "gzip"})
    for number in range(-requests // 10, 0):
        _get(pool, shop.url + path(number))
    before, began = shop.cpu_seconds(), time.perf_counter()
    for number in range(requests):
        _get(pool, shop.url + path(number))
    wall = time.perf_counter() - began
    cpu = shop.cpu_seconds() - before - idle * wall
    return Cost(name, requests, 1000 * cpu / requests, 1000 * wall / requests)


def _get(pool: urllib3.PoolManager, url: str) -> None:
    answer = pool.request("GET", url)
    if answer.status != 200:
        raise RuntimeError(f"{url} answered {answer.status}: {answer.data[:200]!r}")


def orders_per_second(shop: Shop, skus: list[str], *, buyers: int, orders: int) -> float:
    """Return confirmed orders a second with so many buyers at once, each ordering one thing at a time."""
    pool = urllib3.PoolManager(maxsize=buyers)
    queue = list(range(orders))
    failures: list[str] = []

    def buy() -> None:
        while queue:
            try:
                number = queue.pop()
            except IndexError:
                return
            answer = pool.request(
                "POST",
                f"{shop.url}/api/checkout/orders",
                body=json.dumps(_order(skus[number % len(skus)])),
                headers={"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())},
            )
            if answer.status != 201:
                failures.append(f"{answer.status} {answer.data[:200]!r}")

    threads = [threading.Thread(target=buy) for _ in range(buyers)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise RuntimeError(f"{len(failures)} orders failed, the first: {failures[0]}")
    return orders / (time.perf_counter() - began)


def _order(sku: str) -> dict[str, object]:
    return {
        "lines": [{"sku": sku, "quantity": 1}],
        "email": "bench@example.com",
        "shipping_address": ADDRESS,
        "shipping_method": "standard",
        "payment": {"method": "card", "token": "tok_ok"},
    }
