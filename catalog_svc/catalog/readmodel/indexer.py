"""Indexer of a replica: opens or builds its index, then follows the catalogue's and stock's feeds.

An index becomes current once it has caught up with both feeds, so readers never see half a catalogue. Each
page of a feed is written and committed before the follower saves its cursor, in a file beside the index.
The consistency check (consistency.py) finds changes that the feeds have missed all the same.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from catalog.readmodel.consistency import Discrepancy, IndexRepairer
from catalog.readmodel.folder import IndexFolder
from catalog.readmodel.sources import Sources
from catalog.readmodel.updater import PAGE, IndexUpdater
from catalog.readmodel.writer import IndexBroken, IndexLocked, IndexWriter
from chassis.couch import Change, CouchError, FileCursor, Follower, end_of_feed, open_store

log = logging.getLogger(__name__)

#: Seconds for which purchases are collected before the products' popularity is written.
POPULARITY_SECONDS = 10.0
#: Seconds from one consistency check of the whole index to the next.
REPAIR_SECONDS = 900.0
#: Seconds before a broken index is opened again.
_REOPEN_DELAY_SECONDS = 0.5


class IndexStale(Exception):
    """A feed restarts: the active index belongs to another database, so a new one is built."""


class Indexer:
    """Owner of the replica's index; `run` follows for ever, `catch_up` does what is due now."""

    def __init__(
        self, folder: IndexFolder, sources: Sources, media_url: str,
        stores: Callable[[str], Any] | None = None, *,
        on_repaired: Callable[[Sequence[Discrepancy]], None] | None = None,
        repair_seconds: float = REPAIR_SECONDS,
    ) -> None:  # fmt: skip
        self._folder = folder
        self._sources = sources
        self._media_url = media_url
        self._stores = stores or open_store
        self._on_repaired = on_repaired or (lambda repaired: None)
        self._repair_seconds = repair_seconds
        self._reopen = threading.Event()
        self._stale: Path | None = None
        self._updater: IndexUpdater | None = None
        self._followers: list[Follower] = []

    # -- running

    def run(self, stop: threading.Event) -> None:
        """Follow the feeds until `stop`; reopen or rebuild an index that is broken, stale or removed.

        Whatever ends a round, its followers end and the folder's lock is released.
        """
        while not stop.is_set():
            self._reopen.clear()
            try:
                updater = self._open()
                with self._run_followers():
                    self._supervise(updater, stop)
            finally:
                self.close()
            stop.wait(_REOPEN_DELAY_SECONDS if self._reopen.is_set() else 0.0)

    @contextmanager
    def _run_followers(self) -> Iterator[None]:
        """Run the followers for the length of the block.

        One that is still busy 5 s later can no longer write, because the index is closed.
        """
        stop = threading.Event()
        threads = [
            threading.Thread(target=follower.run, args=(stop,), name=follower.name, daemon=True)
            for follower in self._followers
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join(timeout=5)

    def catch_up(self) -> None:
        """Write all pending changes and activate the index, for tests and commands."""
        try:
            self._catch_up()
        except IndexStale:
            self.close()
            self._catch_up()

    def _catch_up(self) -> None:
        updater = self._updater or self._open()
        for follower in self._followers:
            follower.run_once()
        self._activate(updater)
        updater.write_popularity()

    def repair(self) -> list[Discrepancy]:
        """Compare everything with the documents and repair it at once, for tests and commands."""
        updater = self._updater or self._open()
        check = updater.begin_check()
        found: list[Discrepancy] = []
        while (page := check.next_page(updater.writer.searcher())) is not None:
            found += page
        self._write_repairs(updater, found)
        return found

    def close(self) -> None:
        """Release the folder's lock."""
        updater, self._updater, self._followers = self._updater, None, []
        if updater is not None:
            updater.close()

    def _supervise(self, updater: IndexUpdater, stop: threading.Event) -> None:
        used, last = False, time.monotonic()
        repair = self._self_repair(updater)
        while not stop.wait(0.1 if not used else 1.0) and not self._reopen.is_set():
            if not used and all(follower.caught_up.is_set() for follower in self._followers):
                self._activate(updater)
                used = True
            if used and self._folder.current() != updater.writer.path:
                log.warning("the index is missing; rebuilding it")
                return
            if used and time.monotonic() - last > POPULARITY_SECONDS:
                last = time.monotonic()
                self._tolerate_outage(updater.write_popularity, repair)
            if used and not any(follower.is_behind for follower in self._followers):
                self._tolerate_outage(lambda: repair.step(updater.writer.searcher()), repair)

    def _tolerate_outage(self, work: Callable[[], None], repair: IndexRepairer) -> None:
        """Run `work`; on an outage of CouchDB log it and check the index soon after."""
        try:
            work()
        except IndexBroken as error:
            self._reopen.set()
            log.warning("reopening the index: %s", error)
        except CouchError as error:
            repair.check_soon()
            log.warning("the index waits for CouchDB: %s", error)

    def _self_repair(self, updater: IndexUpdater) -> IndexRepairer:
        return IndexRepairer(
            updater.begin_check,
            updater.recheck,
            lambda found: self._write_repairs(updater, found),
            interval=self._repair_seconds,
        )

    def _write_repairs(self, updater: IndexUpdater, found: Sequence[Discrepancy]) -> None:
        if found:
            updater.repair(found)
            self._on_repaired(found)

    def _activate(self, updater: IndexUpdater) -> None:
        path = updater.writer.path
        if self._folder.current() != path:
            self._folder.activate(path)
        self._folder.remove_old()

    # -- opening

    def _open(self) -> IndexUpdater:
        """Open the active index, or build a new one if there is none that can be used."""
        writer = self._open_current()
        is_new = writer is None
        writer = writer or IndexWriter(self._folder.create_new())
        updater = self._updater = IndexUpdater(writer, self._sources, self._media_url)
        if is_new:
            self._populate(updater)
        self._followers = [
            self._follower("catalog", updater, updater.catalog_changed),
            self._follower("stock", updater, updater.stock_changed),
        ]
        return updater

    def _open_current(self) -> IndexWriter | None:
        path = self._folder.current()
        if path is None or path == self._stale:
            return None
        try:
            return IndexWriter(path)
        except IndexLocked:  # another process writes it: one writer per replica
            raise
        except IndexBroken as error:
            log.warning("the index is broken (%s); rebuilding it", error)
            return None

    def _populate(self, updater: IndexUpdater) -> None:
        """Fill a new index with the products, and follow the feeds from where they were before that.

        The feeds tell of every purchase and reservation that there ever was. If reading fails, the
        followers read the feeds from their beginning, which takes longer and has the same result.
        """
        try:
            ends = {name: end_of_feed(self._stores(name)) for name in ("catalog", "stock")}
            updater.populate()
            for name, end in ends.items():
                _cursor(updater, name).save(end)
        except (CouchError, OSError) as error:
            log.warning("populating the index from the feeds: %s", error)

    def _follower(
        self, database: str, updater: IndexUpdater, handle: Callable[[Sequence[Change]], None]
    ) -> Follower:
        def handle_many(changes: Sequence[Change]) -> None:
            try:
                handle(changes)
            except IndexBroken:  # `run` opens it again, unless it has already
                if self._updater is updater:
                    self._reopen.set()
                raise

        return Follower(
            database, "index", handle_many=handle_many, page=PAGE, wait=3.0, store=self._stores(database),
            on_restart=lambda: self._on_feed_reset(database, updater), cursor=_cursor(updater, database),
        )  # fmt: skip

    def _on_feed_reset(self, database: str, updater: IndexUpdater) -> None:
        """Replace the index whose feed restarts from its beginning: nothing in it is known to be right.

        Readers keep the active index until a new one is built beside it; an index that nobody reads yet is
        emptied.
        """
        if self._folder.current() == updater.writer.path:
            self._stale = updater.writer.path
            self._reopen.set()
            raise IndexStale(f"the feed of {database} restarts, and so does the index")
        if database == "catalog":
            updater.reset()


def _cursor(updater: IndexUpdater, database: str) -> FileCursor:
    return FileCursor(updater.writer.path / f"{database}.cursor.json")
