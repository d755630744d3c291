"""Life cycle of the index: built, followed, broken, rebuilt."""

from __future__ import annotations

import json
import shutil
import threading
import time
from typing import Any

import pytest

from catalog.readmodel.query import Filters
from catalog.readmodel.reader import IndexMissing
from catalog.readmodel.writer import IndexLocked
from chassis.couch import Unavailable
from chassis.couch.memory import MemoryStore
from chassis.couch.store import Changes
from shop import category, product, small_shop


def total(parts: Any) -> int:
    return int(parts.search.size())


def wait_for(condition: Any, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def following(world):
    """Run the indexer as in the background process."""
    stop = threading.Event()
    thread = threading.Thread(target=world.parts.indexer.run, args=(stop,))
    thread.start()
    yield world
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def is_listed(parts: Any, slug: str) -> bool:
    try:
        return parts.search.product(slug) is not None
    except IndexMissing:
        return False


def test_a_running_indexer_shows_changes_within_a_second(following):
    category(following.parts, "lamps")
    wait_for(lambda: _has_index(following.parts))
    product(following.parts, "Lamp")

    began = time.monotonic()
    wait_for(lambda: is_listed(following.parts, "lamp"))

    assert time.monotonic() - began < 1.0


def _has_index(parts: Any) -> bool:
    try:
        return total(parts) >= 0
    except IndexMissing:
        return False


def test_a_new_process_continues_at_the_saved_cursor(world):
    small_shop(world.parts)
    world.catch_up()
    folder = world.parts.indexer._folder.current()
    world.parts.indexer.close()
    product(world.parts, "Late lamp")

    again = world.bootstrap()
    again.indexer.catch_up()

    assert again.indexer._folder.current() == folder
    assert total(again) == 7
    again.indexer.close()


@pytest.mark.parametrize("damage", ["meta", "segments", "pointer", "folder"])
def test_a_damaged_index_is_rebuilt_from_documents(world, damage):
    small_shop(world.parts)
    world.catch_up()
    world.parts.indexer.close()
    root = world.folder / "index"
    current = root / (root / "CURRENT").read_text()
    if damage == "meta":
        (current / "meta.json").write_text("{")
    elif damage == "segments":
        for path in current.glob("*.store"):
            path.unlink()
    elif damage == "pointer":
        (root / "CURRENT").write_text("nothing")
    else:
        shutil.rmtree(root)

    again = world.bootstrap()
    again.indexer.catch_up()

    assert total(again) == 6
    assert again.search.product("stool") is not None
    again.indexer.close()


def test_a_deleted_index_is_rebuilt(following):
    small_shop(following.parts)
    wait_for(lambda: is_listed(following.parts, "stool"))

    shutil.rmtree(following.folder / "index")

    wait_for(lambda: (following.folder / "index" / "CURRENT").exists(), 15)
    product(following.parts, "Later lamp")
    wait_for(lambda: is_listed(following.parts, "later-lamp"))
    assert total(following.parts) == 7


def test_readers_keep_their_snapshot_while_the_index_is_missing(world):
    small_shop(world.parts)
    world.catch_up()
    before, _ = world.parts.search.search(Filters(), "price", 24, None)

    (world.folder / "index" / "CURRENT").unlink()

    assert world.parts.search.search(Filters(), "price", 24, None)[0] == before


def test_a_recreated_database_empties_the_index(world):
    small_shop(world.parts)
    world.catch_up()
    world.parts.indexer.close()
    for store in world.stores.values():
        store.clear()
    category(world.parts, "lamps")
    product(world.parts, "Only lamp")

    again = world.bootstrap()
    again.indexer.catch_up()

    assert total(again) == 1
    again.indexer.close()


def test_only_one_writer_opens_the_folder(world):
    world.catch_up()

    with pytest.raises(IndexLocked):
        world.bootstrap().indexer.catch_up()


class Watched(MemoryStore):
    """Store that records where its feed was read from.

    While it is `cut` it has no end of its feed; while it is `gone` it has no feed.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.read_from: list[Any] = []
        self.cut = self.gone = False

    def changes(self, since: Any, *, limit: int = 100, wait: float = 0.0) -> Changes:
        if self.gone or (self.cut and since == "now"):
            raise Unavailable("the feed is cut")
        self.read_from.append(since)
        return super().changes(since, limit=limit, wait=wait)


@pytest.fixture
def watched(world):
    """Return the same shop on watched stores."""
    world.stores = {name: Watched(name) for name in world.stores}
    world.parts = world.bootstrap()
    small_shop(world.parts)
    return world


def availability(parts: Any, slug: str) -> str:
    (variant,) = json.loads(parts.search.product(slug).page)["variants"]
    return str(variant["availability"])


def test_a_new_index_is_built_from_products_instead_of_the_whole_feed(watched):
    watched.catch_up()

    assert total(watched.parts) == 6
    assert availability(watched.parts, "floor-lamp") == "out"
    assert [0 in store.read_from for store in watched.stores.values()] == [False, False]
    product(watched.parts, "Later lamp")
    watched.catch_up()
    assert total(watched.parts) == 7
    watched.parts.indexer.close()


def test_a_new_index_is_built_from_the_feeds_if_their_end_is_unknown(watched):
    watched.stores["stock"].cut = True

    watched.catch_up()

    assert total(watched.parts) == 6
    assert availability(watched.parts, "floor-lamp") == "out"
    assert all(0 in store.read_from for store in watched.stores.values())
    watched.parts.indexer.close()


def test_the_old_index_stays_active_until_the_new_one_is_built(watched):
    """Keep the old index: once it was emptied first, and stayed so until the new database was read."""
    stop = threading.Event()
    thread = threading.Thread(target=watched.parts.indexer.run, args=(stop,))
    thread.start()
    try:
        wait_for(lambda: _has_index(watched.parts) and total(watched.parts) == 6)
        watched.stores["catalog"].gone = True
        for store in watched.stores.values():
            store.clear()
        category(watched.parts, "lamps")
        product(watched.parts, "Only lamp")
        wait_for(lambda: 0 in watched.stores["stock"].read_from)
        time.sleep(1)
        meanwhile = total(watched.parts)

        watched.stores["catalog"].gone = False
        wait_for(lambda: total(watched.parts) == 1, 20)
    finally:
        stop.set()
        thread.join(15)

    assert meanwhile == 6
