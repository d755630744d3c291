"""A logs service in memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from chassis.testing.django import setup

setup(__file__)

from django.test import Client  # noqa: E402

from chassis.couch import memory  # noqa: E402
from logs import wiring  # noqa: E402
from logs.domain import Told  # noqa: E402
from logs.domain.events import text  # noqa: E402

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


class World:
    """All parts of the service over the configured store; time stands, ids count up."""

    def __init__(self, folder, *, made: bool = True) -> None:
        """`made`: whether the first months have databases."""
        self.now, self.made, self.folder = NOW, 0, folder
        self.parts = self.assembled()
        if made:
            self.parts.registry.make_ahead()

    def assembled(self, **options):
        """Another process of this service, over the same store."""
        given = {"folder": self.folder, "most": 1 << 20, "thread": False, **options}
        return wiring.assemble(clock=self.clock, new_id=self.new_id, **given)

    def clock(self) -> datetime:
        return self.now

    def new_id(self) -> str:
        """A UUIDv7 of now."""
        self.made += 1
        time = f"{int(self.now.timestamp() * 1000):012x}"
        return f"{time[:8]}-{time[8:]}-7000-8000-{self.made:012x}"

    def put(self, **fields) -> str:
        """Store one event; its id."""
        at = fields.pop("at", self.now)
        batch = self.new_id()
        self.parts.recorder.record(batch, [Told(**{"type": "view", "at": text(at), **fields})])
        return f"{batch}-0000"

    def all_events(self):
        self.parts.drain.drain()
        return [event for _, event in self.parts.events.arrivals(None, limit=1000).items]


@pytest.fixture
def world(tmp_path) -> Iterator[World]:
    memory.reset()
    made = World(tmp_path / "journal")
    with wiring.wiring.override(made.parts):
        yield made
    memory.reset()


@pytest.fixture
def client(world: World) -> Client:
    return Client()
