"""The serving state: refreshed in the background, and before answering if it is too old."""

from __future__ import annotations

import threading
import time

import pytest

from tests.world import World


@pytest.fixture
def world():
    world = World()
    world.seconds = 0.0
    world.parts.serving_state._tick = lambda: world.seconds
    for number in range(6):
        world.history.visit(f"s{number}", "tent", "torch")
    world.sells("tent", "torch")
    world.first = world.trains().id
    return world


def slow(world):
    """Return a database that answers when it is released."""
    get, go = world.serving.get, threading.Event()

    def wait(id):
        assert go.wait(10)
        return get(id)

    world.serving.get = wait
    return go


def soon(said):
    end = time.monotonic() + 10
    while not said() and time.monotonic() < end:
        time.sleep(0.01)
    return said()


def test_the_first_request_waits_for_the_model(world):
    world.parts.serving_state.wake()

    assert world.parts.serving_state.version == world.first


def test_requests_are_answered_during_a_refresh(world):
    serving_state = world.parts.serving_state
    serving_state.wake()
    newer = world.trains().id
    go = slow(world)
    world.seconds = 3.0

    for _ in range(3):
        serving_state.wake()
    asked_meanwhile, looking = serving_state.version, threading.active_count()
    go.set()

    assert asked_meanwhile == world.first
    assert soon(lambda: serving_state.version == newer)
    assert looking <= threading.active_count() + 1  # one thread looks, however many ask


def test_state_is_not_refreshed_within_two_seconds(world):
    serving_state = world.parts.serving_state
    serving_state.wake()
    world.trains()
    world.seconds = 1.9

    serving_state.wake()

    assert not soon_changes(serving_state, world.first)


def soon_changes(serving_state, version):
    time.sleep(0.2)
    return serving_state.version != version


def test_a_request_waits_for_the_refresh_of_stale_state(world):
    serving_state = world.parts.serving_state
    serving_state.wake()
    newer = world.trains().id
    world.seconds = 10.0

    serving_state.wake()

    assert serving_state.version == newer
