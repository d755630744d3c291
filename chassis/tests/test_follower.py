"""Following a database over restarts of the server and of the database."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from chassis.couch import Change, FileCursor, Follower, couch_repository, end_of_feed, ensure
from chassis.couch.client import CouchStore
from chassis.couch.connection import server
from chassis.couch.database_id import instance_id
from chassis.couch.memory import MemoryStore
from chassis.testing.couch import CouchServer, couch_server, fresh_databases
from chassis.testing.fruits import FRUITS, Fruit


def _put(store: MemoryStore, id: str) -> None:
    store.put({"_id": id})


def test_a_page_that_failed_is_seen_again() -> None:
    store, seen, fail = MemoryStore(), [], [True]

    def handle(change: Change) -> None:
        if fail.pop() if fail else False:
            raise ConnectionError
        seen.append(change.id)

    _put(store, "a")
    follower = Follower("x", "test", handle, store=store)
    with pytest.raises(ConnectionError):
        follower.run_once()

    follower.run_once()
    _put(store, "b")
    Follower("x", "test", handle, store=store).run_once()

    assert seen == ["a", "b"]


def test_a_deleted_document_shows_as_such() -> None:
    store, seen = MemoryStore(), []
    store.delete("a", store.put({"_id": "a"}))

    Follower("x", "test", seen.append, store=store).run_once()

    assert [(change.id, change.doc, change.deleted) for change in seen] == [("a", None, True)]


def test_a_database_made_anew_is_read_from_its_beginning(tmp_path: Path) -> None:
    store, seen, restarts = MemoryStore(), [], []
    follower = Follower(
        "x",
        "test",
        lambda change: seen.append(change.id),
        store=store,
        cursor=FileCursor(tmp_path / "deep" / "cursor.json"),
        on_restart=lambda: restarts.append(1),
    )
    for id in "abc":
        _put(store, id)
    follower.run_once()

    store.clear()
    _put(store, "z")
    follower.run_once()

    assert (seen, len(restarts)) == (["a", "b", "c", "z"], 2)


def test_followers_that_start_together_agree_on_the_database_and_read_it_once() -> None:
    class Slow(MemoryStore):
        """Everybody has looked for the id before anybody writes it."""

        def get_local(self, id: str) -> Any:
            found = super().get_local(id)
            time.sleep(0.02)
            return found

    store, seen = Slow(), []
    _put(store, "a")

    def follow(number: int) -> int:
        return Follower("x", f"test-{number}", lambda change: seen.append(number), store=store).run_once()

    with ThreadPoolExecutor(8) as pool:
        handled = list(pool.map(follow, range(8)))

    again = [follow(number) for number in range(8)]
    assert (handled, sorted(seen), again) == ([1] * 8, list(range(8)), [0] * 8)


@pytest.mark.integration
def test_a_database_has_its_id_before_it_is_followed(couch: CouchServer) -> None:
    with fresh_databases():
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: CouchStore("fruits").ensure([]), range(4)))
        known = CouchStore("fruits").get_local("hivemart-instance")

        ids = {instance_id(CouchStore("fruits")) for _ in range(3)}
        added = CouchStore("fruits").add_local("hivemart-instance", {"instance": "other"})

    assert known is not None
    assert (ids, added) == ({known["instance"]}, False)


def begin_at_the_end(store: Any, put: Callable[[str], Any], path: Path) -> list[str]:
    """Follow from where the feed ended before "c" was written; return what is seen."""
    seen: list[str] = []
    for id in "ab":
        put(id)
    cursor = FileCursor(path / "cursor.json")
    cursor.save(end_of_feed(store))
    put("c")
    follower = Follower("x", "test", lambda change: seen.append(change.id), store=store, cursor=cursor)
    follower.run_once()
    return seen


def test_who_begins_at_the_end_of_a_feed_sees_what_comes_after(tmp_path: Path) -> None:
    store = MemoryStore()

    assert begin_at_the_end(store, lambda id: _put(store, id), tmp_path) == ["c"]


@pytest.mark.integration
def test_who_begins_at_the_end_of_a_real_feed_sees_what_comes_after(
    couch: CouchServer, tmp_path: Path
) -> None:
    with fresh_databases():
        store = CouchStore("fruits")
        store.ensure([])

        assert begin_at_the_end(store, lambda id: store.put({"_id": id}), tmp_path) == ["c"]


@pytest.mark.integration
def test_a_follower_survives_a_killed_server_and_a_new_database() -> None:
    with couch_server() as running:
        ensure([FRUITS])
        fruits, seen, stop = couch_repository(FRUITS), [], threading.Event()
        follower = Follower("fruits", "test", lambda change: seen.append(change.id), wait=1.0)
        thread = threading.Thread(target=follower.run, args=(stop,))
        thread.start()
        try:
            fruits.add(Fruit("a", "apple"))
            _until(lambda: "fruit:a" in seen)

            running.stop(kill=True)
            running.start()
            fruits.add(Fruit("b", "banana"))
            _until(lambda: "fruit:b" in seen)
            server().delete("fruits")
            ensure([FRUITS])
            fruits.add(Fruit("c", "cherry"))
            _until(lambda: "fruit:c" in seen)
        finally:
            stop.set()
            thread.join(10)
        assert not thread.is_alive()


@pytest.mark.integration
def test_local_documents_can_be_written_again_and_again(couch: CouchServer) -> None:
    store = CouchStore("locals")
    store.ensure([])

    for number in range(3):
        store.put_local("cursor", {"seq": number})

    found = store.get_local("cursor") or {}
    assert found["seq"] == 2
    assert store.get_local("nothing") is None


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 40
    while not true():
        assert time.monotonic() < end, "it did not happen within 40 s"
        time.sleep(0.02)
