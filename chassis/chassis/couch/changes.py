"""Following a database's `_changes` feed, from where the last run ended.

The feed delivers at least once, only the latest revision, in no order of writing. A cursor carries the
database's instance id: when the database was made anew, its old sequence means nothing and the follower
begins again.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from .database_id import instance_id
from .exceptions import CouchError, Unavailable
from .schema import open_store
from .store import Change, Store

log = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0


class Cursor(Protocol):
    """Where a follower keeps how far it came: `{"seq": …, "instance": …}`."""

    def load(self) -> dict[str, Any] | None: ...

    def save(self, state: dict[str, Any]) -> None: ...


class LocalCursor:
    """In a `_local` document of the followed database: one follower for all replicas."""

    def __init__(self, store: Store, name: str) -> None:
        self._store, self._id = store, f"cursor-{name}"

    def load(self) -> dict[str, Any] | None:
        return self._store.get_local(self._id)

    def save(self, state: dict[str, Any]) -> None:
        self._store.put_local(self._id, state)


class FileCursor:
    """In a file: each replica for itself, beside the read model that it builds. Written atomically."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> dict[str, Any] | None:
        try:
            state = json.loads(self._path.read_text())
        except (FileNotFoundError, ValueError):
            return None
        return state if isinstance(state, dict) else None

    def save(self, state: dict[str, Any]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(state))
        os.replace(fresh, self._path)


def end_of_feed(store: Store) -> dict[str, Any]:
    """Return the `Cursor` state of a reader who has seen everything that there is now.

    Who reads the documents themselves asks for it first, and then need not read the whole feed.
    """
    return {"instance": instance_id(store), "seq": store.changes("now", limit=1).last_seq}


class Follower:
    """Hands each change of a database to `handle`, or each page of changes to `handle_many`, for ever.

    The cursor is saved after what was handled, so that may be seen again after a crash. When the server is
    away, or the handler raises, the follower waits (0.2 s, doubling to 5 s) and goes on from the last saved
    place: what is to be skipped the handler must swallow itself. Design documents are left out.
    After a page it lingers (seconds) before it asks again: a busy feed then comes in pages, not one by one.
    `on_restart` is called before the feed is read from its very beginning.
    """

    def __init__(
        self, database: str, cursor_name: str, handle: Callable[[Change], None] | None = None, *,
        handle_many: Callable[[Sequence[Change]], None] | None = None, store: Store | None = None,
        cursor: Cursor | None = None, on_restart: Callable[[], None] | None = None, page: int = 100,
        wait: float = 25.0, linger: float = 0.0,
    ) -> None:  # fmt: skip
        if (handle is None) == (handle_many is None):
            raise ValueError("give handle or handle_many")
        self.name = f"{database}/{cursor_name}"
        self.caught_up = threading.Event()
        self.is_behind = True  # the last page was a full one, or there was none yet
        self._database, self._given, self._cursor_name = database, store, cursor_name
        self._cursor = cursor
        self._handle_many = handle_many or _each(handle)
        self._on_restart = on_restart
        self._page, self._wait, self._linger = page, wait, linger
        self._kept: Any = None
        self._kept_at = 0.0

    def run(self, stop: threading.Event) -> None:
        """Follow until `stop` is set (seen within `wait` seconds of silence)."""
        pause = _FIRST_PAUSE
        while not stop.is_set():
            try:
                self._follow(stop)
                pause = _FIRST_PAUSE
            except Exception as error:
                expected = isinstance(error, (CouchError, OSError))
                log.log(
                    logging.WARNING,
                    "follower %s waits %.1f s: %s",
                    self.name,
                    pause,
                    error,
                    exc_info=not expected,
                )
                stop.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    def _follow(self, stop: threading.Event) -> None:
        state = self._begin()
        while not stop.is_set():
            found = self._step(state, self._wait, stop)
            if 0 < found < self._page:
                stop.wait(self._linger)

    def run_once(self) -> int:
        """Handle all there is now and return how many changes that were; for tests and for first fills."""
        state, handled = self._begin(), 0
        while True:
            found = self._step(state, 0.0, threading.Event())
            handled += found
            if not found:
                return handled

    def _begin(self) -> dict[str, Any]:
        store = self._store
        instance = instance_id(store)
        self._kept = None
        cursor = self._cursor or LocalCursor(store, self._cursor_name)
        self._cursor = cursor
        state = cursor.load()
        if state is None or state.get("instance") != instance:
            if state is not None:
                log.warning("follower %s begins again: the database is another one", self.name)
            if self._on_restart:
                self._on_restart()
            return {"seq": 0, "instance": instance}
        return {"seq": state["seq"], "instance": instance}

    def _step(self, state: dict[str, Any], wait: float, stop: threading.Event) -> int:
        found = self._store.changes(
            state["seq"], limit=self._page, wait=wait if self.caught_up.is_set() else 0.0
        )
        changes = [change for change in found.results if not change.id.startswith("_design/")]
        self.is_behind = len(found.results) >= self._page
        if stop.is_set():
            return 0
        if changes:
            self._handle_many(changes)
        if not found.results:
            self._check_instance(state)
            self.caught_up.set()
            self._keep(state, at_once=True)
        else:
            state["seq"] = found.last_seq
            self._keep(state, at_once=wait == 0.0)
        return len(found.results)

    def _keep(self, state: dict[str, Any], *, at_once: bool) -> None:
        """Save the cursor; who lingers does so at every tenth page or so, and once there is silence."""
        due = at_once or time.monotonic() - self._kept_at >= 10 * self._linger
        if self._cursor is not None and due and self._kept != state["seq"]:
            self._cursor.save(dict(state))
            self._kept, self._kept_at = state["seq"], time.monotonic()

    def _check_instance(self, state: dict[str, Any]) -> None:
        """Silence may also mean that the database was made anew and is behind our sequence."""
        if instance_id(self._store) != state["instance"]:
            raise Unavailable("the database was made anew")

    @property
    def _store(self) -> Store:
        if self._given is None:
            self._given = open_store(self._database)
        return self._given


def _each(handle: Callable[[Change], None] | None) -> Callable[[Sequence[Change]], None]:
    def handle_many(changes: Sequence[Change]) -> None:
        for change in changes:
            if handle is not None:
                handle(change)

    return handle_many
