"""Fixtures: logs_svc over an in-memory store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from chassis.testing.django import setup

setup(__file__)

from django.test import Client  # noqa: E402

from chassis.couch import memory  # noqa: E402
from logs import container  # noqa: E402
from logs.domain import IncomingEvent  # noqa: E402
from logs.domain.events import format_time  # noqa: E402

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


class World:
    """All dependencies over the configured store, with a fixed clock and counted ids."""

    def __init__(self, folder, *, create_months: bool = True) -> None:
        """Create the databases of the first months if `create_months` is True."""
        self.now, self.ids, self.folder = NOW, 0, folder
        self.parts = self.new_process()
        if create_months:
            self.parts.registry.create_ahead()

    def new_process(self, **options):
        """Build another process of this service over the same store."""
        settings = {"folder": self.folder, "max_bytes": 1 << 20, "thread": False, **options}
        return container.bootstrap(clock=self.clock, new_id=self.new_id, **settings)

    def clock(self) -> datetime:
        return self.now

    def new_id(self) -> str:
        """Return a UUIDv7 of the fixed time."""
        self.ids += 1
        time = f"{int(self.now.timestamp() * 1000):012x}"
        return f"{time[:8]}-{time[8:]}-7000-8000-{self.ids:012x}"

    def put(self, **fields) -> str:
        """Store one event and return its id."""
        at = fields.pop("at", self.now)
        batch = self.new_id()
        self.parts.recorder.record(
            batch, [IncomingEvent(**{"type": "view", "at": format_time(at), **fields})]
        )
        return f"{batch}-0000"

    def all_events(self):
        self.parts.flusher.flush()
        return [event for _, event in self.parts.events.by_arrival(None, limit=1000).items]


@pytest.fixture
def world(tmp_path) -> Iterator[World]:
    memory.reset()
    built = World(tmp_path / "journal")
    with container.container.override(built.parts):
        yield built
    memory.reset()


@pytest.fixture
def client(world: World) -> Client:
    return Client()
