"""The catalogue on a real server, with twelve buyers of three lamps."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from catalog import container, repositories
from catalog.clients import InMemoryBlobStore, InMemoryRenderQueue
from catalog.container import Adapters, Dependencies, bootstrap
from catalog.image_rendering import Limits
from catalog.readmodel.query import Filters
from catalog.readmodel.reader import IndexMissing
from catalog.render_process import SandboxedProcessor
from catalog.services.stock import OutOfStock, ReservationLine
from chassis.background import Job, keep_running
from chassis.couch import couch_repository, ensure, open_store
from chassis.testing.couch import couch_server, fresh_databases
from shop import category, product, small_shop

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with couch_server() as running:
        yield running


@pytest.fixture
def parts(server: Any, tmp_path: Path) -> Iterator[Dependencies]:
    with fresh_databases():
        ensure(container.COLLECTIONS)
        made = bootstrap(
            Adapters(
                repository=couch_repository,
                stores=open_store,
                folder=tmp_path,
                blobs=InMemoryBlobStore(),
                renderer=InMemoryRenderQueue(),
                processor=SandboxedProcessor(Limits()),
                media_url="/media/",
                limits=Limits(),
            )
        )
        with container.override(made):
            yield made
        made.indexer.close()


def second_process(parts: Dependencies) -> Dependencies:
    """Return dependencies on the same documents with other locks, as another replica has them."""
    return bootstrap(
        Adapters(
            repository=couch_repository,
            stores=open_store,
            folder=Path("/nonexistent"),
            blobs=InMemoryBlobStore(),
            renderer=InMemoryRenderQueue(),
            processor=SandboxedProcessor(Limits()),
            media_url="/media/",
            limits=Limits(),
        )
    )


def buy(parts: Dependencies, order_id: str, sku: str) -> str:
    try:
        parts.stock.reserve(order_id=order_id, lines=[ReservationLine(sku, 1)], ttl=900)
        parts.stock.commit(order_id=order_id, lines=[ReservationLine(sku, 1)])
    except OutOfStock:
        return "short"
    return "sold"


@pytest.mark.parametrize("replicas", [1, 3])
def test_twelve_buyers_of_three_lamps_buy_three(parts, replicas):
    category(parts, "lamps")
    product(parts, "Lamp", units=3)
    others = [parts, *(second_process(parts) for _ in range(replicas - 1))]

    with ThreadPoolExecutor(12) as pool:
        found = Counter(pool.map(lambda n: buy(others[n % replicas], f"HM-{n}", "LAMP"), range(12)))

    stock = parts.stock.get("LAMP")
    assert found == {"sold": 3, "short": 9}
    assert (stock.on_hand, stock.reserved, stock.available) == (0, 0, 0)


def test_a_hot_sku_serves_fifty_buyers_at_once(parts):
    category(parts, "lamps")
    product(parts, "Lamp", units=30)

    began = time.monotonic()
    with ThreadPoolExecutor(50) as pool:
        found = Counter(pool.map(lambda n: buy(parts, f"HM-{n}", "LAMP"), range(50)))

    assert found == {"sold": 30, "short": 20}
    assert time.monotonic() - began < 3.0


def test_couchdb_views_equal_the_in_memory_views(parts):
    small_shop(parts)
    parts.stock.reserve(
        order_id="HM-1", lines=[ReservationLine("DESK-LAMP", 2), ReservationLine("STOOL-R", 1)], ttl=900
    )
    parts.event_handlers.order_confirmed(
        {"order_id": "HM-1", "account_id": "a1", "lines": [{"product_id": "x", "quantity": 2}]}
    )
    lamp = parts.products.get("desk-lamp")
    parts.reviews.write(product=lamp, account_id="a1", author="", rating=4, title="T", body="")

    low = parts.stock_documents.rows("available", end=5)
    parts.stock.release(order_id="HM-1")

    assert [(row.id, row.key) for row in low] == [("stock:FLOOR-LAMP", 0), ("stock:READING-LAMP", 3)]
    assert parts.stock.get("DESK-LAMP").available == 10
    assert parts.products.get("desk-lamp").rating.count == 1
    assert parts.stock_documents.rows("holds") == []
    assert repositories.PURCHASES.kind == "purchase"


def test_the_shop_is_readable_from_the_index_while_couchdb_is_unavailable(parts, server):
    small_shop(parts)
    parts.indexer.catch_up()
    parts.indexer.close()
    client = APIClient(raise_request_exception=False)
    client.get("/api/catalog/products")

    server.stop(kill=True)
    try:
        paths = ["products?q=lamp", "products/stool", "categories", "suggest?q=la", "products?brand=Vela"]
        statuses = [client.get(f"/api/catalog/{path}").status_code for path in paths]
        unknown = client.get("/api/catalog/products/nowhere")
        ready = client.get("/readyz")
    finally:
        server.start()

    assert statuses == [200] * 5
    assert (unknown.status_code, "Retry-After" in unknown) == (503, True)
    assert (ready.status_code, ready.json()) == (200, {"status": "degraded", "missing": ["couchdb"]})


def test_the_catalogue_is_not_ready_without_an_index(parts):
    ready = APIClient().get("/readyz")

    assert (ready.status_code, ready.json()) == (503, {"status": "missing", "missing": ["index"]})


def test_a_running_indexer_shows_a_price_within_a_second(parts):
    small_shop(parts)
    stop = threading.Event()
    thread = threading.Thread(target=parts.indexer.run, args=(stop,))
    thread.start()
    try:
        _wait(lambda: parts.search.product("stool") is not None)
        began = time.monotonic()
        parts.products.update(slug="stool", changes={"title": "Bar stool"})
        _wait(lambda: b"Bar stool" in parts.search.product("stool").page)
        took = time.monotonic() - began
    finally:
        stop.set()
        thread.join(10)

    assert took < 1.0


class Switch:
    """Repository that stops the server while the popularity writer reads the purchases."""

    def __init__(self, server: Any) -> None:
        self.server, self.is_armed = server, threading.Event()
        self.stopped = threading.Event()

    def repository(self, collection: Any) -> Any:
        real = couch_repository(collection)
        return _Switched(real, self) if collection is repositories.PRODUCTS else real

    def throw(self) -> None:
        if self.is_armed.is_set():
            self.is_armed.clear()
            self.server.stop()
            self.stopped.set()


class _Switched:
    def __init__(self, real: Any, switch: Switch) -> None:
        self._real, self._switch = real, switch

    def get_many(self, ids: Any) -> Any:
        self._switch.throw()
        return self._real.get_many(ids)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def test_products_stay_listed_when_couchdb_fails_during_the_popularity_update(server, tmp_path):
    switch = Switch(server)
    adapters = Adapters(
        repository=switch.repository,
        stores=open_store,
        folder=tmp_path,
        blobs=InMemoryBlobStore(),
        renderer=InMemoryRenderQueue(),
        processor=SandboxedProcessor(Limits()),
        media_url="/media/",
        limits=Limits(),
    )
    with fresh_databases():
        ensure(container.COLLECTIONS)
        parts = bootstrap(adapters)
        small_shop(parts)
        with _running(parts):
            _wait(lambda: parts.search.size() == 6)
            bear = parts.products.get("teddy-bear").id
            line = {"product_id": bear, "quantity": 9}
            parts.event_handlers.order_confirmed({"order_id": "HM-1", "lines": [line]})
            switch.is_armed.set()
            assert switch.stopped.wait(20), "nobody wrote popularity"
            time.sleep(2)
            while_away = parts.search.size()

            server.start()
            parts.products.update(slug="stool", changes={"title": "Bar stool"})
            _wait(lambda: b"Bar stool" in parts.search.product("stool").page)
            after = parts.search.size()
            _wait(lambda: _most_popular(parts) == bear, 30)
            product(parts, "Later lamp")
            _wait(lambda: parts.search.product("later-lamp") is not None)

    assert (while_away, after) == (6, 6)


@contextmanager
def _running(parts: Dependencies) -> Iterator[None]:
    """Run the indexer as the background process does: restart it when it fails."""
    stop = threading.Event()
    thread = threading.Thread(target=keep_running, args=(Job("index", run=parts.indexer.run), stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(15)
        parts.indexer.close()


def _most_popular(parts: Dependencies) -> Any:
    return json.loads(parts.search.search(Filters(), "popular", 1, None)[0] + b"}")["results"][0]["id"]


def _wait(condition: Any, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if condition():
                return
        except IndexMissing:
            time.sleep(0.05)
        time.sleep(0.01)
    raise AssertionError("it did not happen in time")
