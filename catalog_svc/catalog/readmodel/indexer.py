"""The indexer of a replica: opens or builds its index, then follows the feeds of catalogue and stock.

An index is current once it has caught up with both feeds, so readers never see half a catalogue. Each page
of a feed is written and committed before the follower keeps its cursor, in a file beside the index. What the
feeds have missed all the same, the self-repair finds (comparison.py).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from catalog.readmodel.comparison import Difference, SelfRepair
from catalog.readmodel.folder import IndexFolder
from catalog.readmodel.sources import Sources
from catalog.readmodel.updater import PAGE, IndexUpdater
from catalog.readmodel.writer import IndexBroken, IndexLocked, IndexWriter
from chassis.couch import Change, CouchError, FileCursor, Follower, end_of_feed, open_store

log = logging.getLogger(__name__)

#: Seconds for which purchases are gathered before the products' popularity is written.
POPULARITY_SECONDS = 10.0
#: Seconds from one comparison of the whole index with the documents to the next.
REPAIR_SECONDS = 900.0
#: Seconds before a broken index is opened again.
_PAUSE = 0.5


class IndexStale(Exception):
    """A feed begins anew: the index that readers use is of another database, and a new one is built."""


class Indexer:
    """`run` follows for ever; `catch_up` does what there is to do now."""

    def __init__(
        self, folder: IndexFolder, sources: Sources, media_url: str,
        stores: Callable[[str], Any] | None = None, *,
        on_mended: Callable[[Sequence[Difference]], None] | None = None,
        repair_seconds: float = REPAIR_SECONDS,
    ) -> None:  # fmt: skip
        self._folder = folder
        self._sources = sources
        self._media_url = media_url
        self._stores = stores or open_store
        self._on_mended = on_mended or (lambda mended: None)
        self._repair_seconds = repair_seconds
        self._reopen = threading.Event()
        self._stale: Path | None = None
        self._updater: IndexUpdater | None = None
        self._followers: list[Follower] = []

    # -- running

    def run(self, stop: threading.Event) -> None:
        """Until `stop`; opens (or builds) the index again when it was found broken, stale or taken away.

        Whatever ends a round, its followers end and the folder's lock is given back.
        """
        while not stop.is_set():
            self._reopen.clear()
            try:
                updater = self._open()
                with self._following():
                    self._watch(updater, stop)
            finally:
                self.close()
            stop.wait(_PAUSE if self._reopen.is_set() else 0.0)

    @contextmanager
    def _following(self) -> Iterator[None]:
        """Run the followers for the length of the block. One that is still busy 5 s after it can no longer
        write, for the index is closed.
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
        """Write all changes there are, and make the index current. For tests and commands."""
        try:
            self._catch_up()
        except IndexStale:
            self.close()
            self._catch_up()

    def _catch_up(self) -> None:
        updater = self._updater or self._open()
        for follower in self._followers:
            follower.run_once()
        self._use(updater)
        updater.write_popularity()

    def repair(self) -> list[Difference]:
        """Compare everything with the documents, and mend it at once. For tests and commands."""
        updater = self._updater or self._open()
        comparison = updater.begin_comparison()
        found: list[Difference] = []
        while (page := comparison.next_page(updater.writer.searcher())) is not None:
            found += page
        self._mend(updater, found)
        return found

    def close(self) -> None:
        """Give the folder's lock back."""
        updater, self._updater, self._followers = self._updater, None, []
        if updater is not None:
            updater.closed()

    def _watch(self, updater: IndexUpdater, stop: threading.Event) -> None:
        used, last = False, time.monotonic()
        repair = self._self_repair(updater)
        while not stop.wait(0.1 if not used else 1.0) and not self._reopen.is_set():
            if not used and all(follower.caught_up.is_set() for follower in self._followers):
                self._use(updater)
                used = True
            if used and self._folder.current() != updater.writer.path:
                log.warning("the index has gone; building it anew")
                return
            if used and time.monotonic() - last > POPULARITY_SECONDS:
                last = time.monotonic()
                self._unless_away(updater.write_popularity, repair)
            if used and not any(follower.is_behind for follower in self._followers):
                self._unless_away(lambda: repair.step(updater.writer.searcher()), repair)

    def _unless_away(self, work: Callable[[], None], repair: SelfRepair) -> None:
        """A store that is away is waited for; what an outage broke all the same is looked for after it."""
        try:
            work()
        except IndexBroken as error:
            self._reopen.set()
            log.warning("the index is opened again: %s", error)
        except CouchError as error:
            repair.hurry()
            log.warning("the index waits for the documents: %s", error)

    def _self_repair(self, updater: IndexUpdater) -> SelfRepair:
        return SelfRepair(
            updater.begin_comparison,
            updater.look_again,
            lambda found: self._mend(updater, found),
            interval=self._repair_seconds,
        )

    def _mend(self, updater: IndexUpdater, found: Sequence[Difference]) -> None:
        if found:
            updater.mend(found)
            self._on_mended(found)

    def _use(self, updater: IndexUpdater) -> None:
        path = updater.writer.path
        if self._folder.current() != path:
            self._folder.use(path)
        self._folder.clean()

    # -- opening

    def _open(self) -> IndexUpdater:
        """Open the current index, or build a new one where there is none that can be used."""
        writer = self._open_current()
        is_new = writer is None
        writer = writer or IndexWriter(self._folder.fresh())
        updater = self._updater = IndexUpdater(writer, self._sources, self._media_url)
        if is_new:
            self._fill(updater)
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
            log.warning("the index is broken (%s); building it anew", error)
            return None

    def _fill(self, updater: IndexUpdater) -> None:
        """A new index: read the products, and then follow the feeds from where they were before that, for
        they tell of every purchase and reservation that there ever was. If that fails, the followers read
        the feeds from their beginning: that takes longer and comes to the same.
        """
        try:
            ends = {name: end_of_feed(self._stores(name)) for name in ("catalog", "stock")}
            updater.fill()
            for name, end in ends.items():
                _cursor(updater, name).save(end)
        except (CouchError, OSError) as error:
            log.warning("the index is filled from the feeds: %s", error)

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
            on_restart=lambda: self._feed_restarts(database, updater), cursor=_cursor(updater, database),
        )  # fmt: skip

    def _feed_restarts(self, database: str, updater: IndexUpdater) -> None:
        """A feed is read from its beginning: nothing in the index is known to be right. Readers keep what
        they have until a new one is built beside it; one that nobody reads yet begins anew itself.
        """
        if self._folder.current() == updater.writer.path:
            self._stale = updater.writer.path
            self._reopen.set()
            raise IndexStale(f"the feed of {database} begins anew, and so does the index")
        if database == "catalog":
            updater.begin_anew()


def _cursor(updater: IndexUpdater, database: str) -> FileCursor:
    return FileCursor(updater.writer.path / f"{database}.cursor.json")
