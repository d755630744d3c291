"""News for lists: looked for beside the answers, and waited for where what is held is too old."""

from __future__ import annotations

import threading
import time

import pytest

from tests.parts import Desk


@pytest.fixture
def desk():
    desk = Desk()
    desk.seconds = 0.0
    desk.parts.book._tick = lambda: desk.seconds
    for number in range(6):
        desk.history.visit(f"s{number}", "tent", "torch")
    desk.sells("tent", "torch")
    desk.first = desk.trains().id
    return desk


def slow(desk):
    """A database that answers when it is let go."""
    get, go = desk.serving.get, threading.Event()

    def wait(id):
        assert go.wait(10)
        return get(id)

    desk.serving.get = wait
    return go


def soon(said):
    end = time.monotonic() + 10
    while not said() and time.monotonic() < end:
        time.sleep(0.01)
    return said()


def test_the_first_question_waits_for_the_model(desk):
    desk.parts.book.wake()

    assert desk.parts.book.version == desk.first


def test_a_question_is_answered_while_news_are_looked_for(desk):
    book = desk.parts.book
    book.wake()
    newer = desk.trains().id
    go = slow(desk)
    desk.seconds = 3.0

    for _ in range(3):
        book.wake()
    asked_meanwhile, looking = book.version, threading.active_count()
    go.set()

    assert asked_meanwhile == desk.first
    assert soon(lambda: book.version == newer)
    assert looking <= threading.active_count() + 1  # one thread looks, however many ask


def test_within_two_seconds_nobody_looks_again(desk):
    book = desk.parts.book
    book.wake()
    desk.trains()
    desk.seconds = 1.9

    book.wake()

    assert not soon_changes(book, desk.first)


def soon_changes(book, version):
    time.sleep(0.2)
    return book.version != version


def test_after_a_long_rest_a_question_waits_for_the_news(desk):
    book = desk.parts.book
    book.wake()
    newer = desk.trains().id
    desk.seconds = 10.0

    book.wake()

    assert book.version == newer
