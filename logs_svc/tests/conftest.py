"""A logs service in memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from chassis.testing.django import setup

setup(__file__)

from django.test import Client  # noqa: E402

from chassis.couch import MemoryRepository  # noqa: E402
from logs import wiring  # noqa: E402
from logs.repositories import AUDIT, EVENTS  # noqa: E402
from logs.services import Facts, Import, Intake, Keeper, Reading, Stats  # noqa: E402

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


class World:
    """All parts of the service, and what is behind them; ids count up."""

    def __init__(self, events=None, audit=None) -> None:
        self.now, self.made = NOW, 0
        self.events = events or MemoryRepository(EVENTS)
        self.audit = audit or MemoryRepository(AUDIT)
        self.parts = wiring.Parts(
            events=self.events,
            audit=self.audit,
            intake=Intake(events=self.events, clock=self.clock, new_id=self.new_id),
            facts=Facts(events=self.events, audit=self.audit, clock=self.clock, new_id=self.new_id),
            reading=Reading(events=self.events, audit=self.audit),
            stats=Stats(events=self.events),
            importing=Import(events=self.events, new_id=self.new_id),
            keeper=Keeper(events=self.events, clock=self.clock, kept=timedelta(days=400)),
        )

    def clock(self) -> datetime:
        return self.now

    def new_id(self) -> str:
        self.made += 1
        return f"id-{self.made:05d}"

    def all_events(self):
        return self.events.find("by_arrival", limit=100).items


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    with wiring.wiring.override(made.parts):
        yield made


@pytest.fixture
def client(world: World) -> Client:
    return Client()
