"""Fixtures: the in-memory store, a real index in a temporary folder, and a clock that stands still."""

from __future__ import annotations

from chassis.testing.django import setup

setup(__file__)

import itertools  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from datetime import UTC, datetime, timedelta  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import pytest  # noqa: E402
from rest_framework.test import APIClient  # noqa: E402

from catalog import container  # noqa: E402
from catalog.clients import InMemoryBlobStore, InMemoryRenderQueue  # noqa: E402
from catalog.container import Adapters, Dependencies, bootstrap  # noqa: E402
from catalog.image_rendering import Limits  # noqa: E402
from catalog.render_process import ImageProcessor, SandboxedProcessor  # noqa: E402
from chassis.couch import MemoryRepository  # noqa: E402
from chassis.couch.memory import MemoryStore  # noqa: E402

LIMITS = Limits(max_bytes=200_000, max_pixels=4_000_000)


class Clock:
    """Clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **span: float) -> None:
        self.time += timedelta(**span)


class World:
    """Dependencies of a test and the adapters below them."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.stores = {"catalog": MemoryStore("catalog"), "stock": MemoryStore("stock")}
        self.blobs = InMemoryBlobStore()
        self.renderer = InMemoryRenderQueue()
        self.processor: ImageProcessor = SandboxedProcessor(LIMITS)
        self.folder = folder
        self._ids = itertools.count(1)
        self.parts = self.bootstrap()

    def bootstrap(self) -> Dependencies:
        return bootstrap(
            Adapters(
                repository=lambda collection: MemoryRepository(collection, self.stores[collection.database]),
                stores=lambda name: self.stores[name],
                folder=self.folder,
                blobs=self.blobs,
                renderer=self.renderer,
                processor=self.processor,
                media_url="/media/",
                limits=LIMITS,
                clock=self.clock,
                new_id=lambda: f"p{next(self._ids):04d}",
            )
        )

    def catch_up(self) -> None:
        """Bring the index up to date."""
        self.parts.indexer.catch_up()

    def events(self, database: str = "catalog") -> list[dict[str, Any]]:
        """Return all events in the outboxes of a database, oldest first."""
        documents = [change.doc for change in self.stores[database].changes(0, limit=10_000).results]
        return [event for doc in documents if doc for event in doc.get("events", [])]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    with container.override(made.parts):
        yield made
    made.parts.indexer.close()


@pytest.fixture
def parts(world: World) -> Dependencies:
    return world.parts


@pytest.fixture
def client() -> APIClient:
    return APIClient(raise_request_exception=False)
