"""The flusher, which moves events from the journal to the store in the background.

Each web process has one. It also stores what ended processes left behind.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from chassis.couch import CouchError, Unavailable
from logs.domain import IncomingEvent
from logs.journal import Journal, try_lock
from logs.services.recorder import Recorder

log = logging.getLogger(__name__)

_SWITCH_INTERVAL = 0.0005  # seconds
_BATCH_DELAY = 0.03  # seconds to wait for more events, so that a batch is worth its requests
_BATCH_SIZE = 250  # events, or a request more: encoding a batch delays requests
_MIN_PAUSE, _MAX_PAUSE = 0.1, 2.0
_ATTEMPTS = 5  # for errors of the store; while it is unavailable there is no limit


class Flusher:
    """Accepts events into the journal, and stores them soon after in a background thread.

    The thread starts with the first accepted event.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        recorder: Recorder,
        thread: bool = True,
        min_age: float = 0.0,
        batch_size: int = _BATCH_SIZE,
    ) -> None:
        """Set up a flusher; without a thread, the caller runs `flush`.

        With `min_age` (seconds), younger files are left to the process that accepted them. A batch has
        `batch_size` events, or a request more.
        """
        self.journal, self._recorder = journal, recorder
        self._threaded, self._min_age, self._batch_size = thread, min_age, batch_size
        self.new = 0  # the number of events stored that were new
        self._condition = threading.Condition()
        self._accepted = self._stored = 0
        self._thread: tuple[int, threading.Thread] | None = None
        self._failures: Counter[str] = Counter()
        self._lock = threading.Lock()

    def accept(self, events: Sequence[IncomingEvent], excluded: Counter[str]) -> None:
        """Write events to the journal before returning; raises JournalFull, OSError."""
        self.journal.append(_line(events, excluded))
        with self._condition:
            self._accepted += 1
            if self._threaded and (self._thread is None or self._thread[0] != os.getpid()):
                self._start()
            self._condition.notify_all()

    def wait_until_stored(self, seconds: float = 0.5) -> bool:
        """Wait until the events accepted up to now are stored; False if that takes longer.

        Queries call it so that a visitor's own events are in the result.
        """
        if not self._threaded:
            return self.flush() == 0
        with self._condition:
            wanted = self._accepted
            return self._condition.wait_for(lambda: self._stored >= wanted, seconds)

    def flush(self) -> int:
        """Store the sealed files, and those of ended processes; return the number of files left.

        Errors of the store are logged, not raised.
        """
        with self._lock:
            mine = self.journal.seal()
            self.journal.seal_orphans()
            try:
                for path in self.journal.sealed_files(self._min_age):
                    self._store(path, again=path != mine)
            except CouchError as error:
                log.warning("events wait for the unavailable store: %s", error)
        return len(self.journal.sealed_files(self._min_age))

    def _start(self) -> None:
        # Requests share the interpreter with the flusher: switch after half a millisecond, not five.
        sys.setswitchinterval(_SWITCH_INTERVAL)
        thread = threading.Thread(target=self._run, name="events flusher", daemon=True)
        self._thread = (os.getpid(), thread)
        atexit.register(self._end, os.getpid())
        thread.start()

    def _end(self, pid: int) -> None:
        """Store the remaining events when the process ends, as its disk may end with it."""
        if pid == os.getpid():
            self.flush()

    def _run(self) -> None:
        pause = _MIN_PAUSE
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._stored < self._accepted)
            time.sleep(_BATCH_DELAY)
            with self._condition:
                wanted = self._accepted
            try:
                left = self.flush()
            except Exception:
                log.exception("storing events failed; trying again")
                left = 1
            if left:
                time.sleep(pause)
                pause = min(pause * 2, _MAX_PAUSE)
                continue
            pause = _MIN_PAUSE
            with self._condition:
                self._stored = wanted
                self._condition.notify_all()

    def _store(self, path: Path, *, again: bool) -> None:
        """Store one sealed file, unless another process has locked it; raises Unavailable."""
        with try_lock(path) as number:
            if number is None:
                return
            content = path.read_bytes()
            try:
                self._record(path.stem, content, again=again)
            except Unavailable:
                raise
            except Exception as error:
                self._failures[path.name] += 1
                if self._failures[path.name] < _ATTEMPTS:
                    raise Unavailable(f"{path.name}: {error}") from error
                log.critical(
                    "%s cannot be stored: %s", path, error, exc_info=True, extra={"alarm": "journal"}
                )
                self.journal.quarantine(path)
                return
            self.journal.remove(path, len(content))

    def _record(self, name: str, content: bytes, *, again: bool) -> None:
        """Record a file's content in parts of some hundred events.

        A part's name is the file's, with its number where a UUIDv7 is random, so it is the same each time.
        """
        events: list[IncomingEvent] = []
        bots: Counter[str] = Counter()
        part = 0
        for line in content.split(b"\n")[:-1]:  # a line without an end was never acknowledged
            rows, excluded = json.loads(line)
            bots.update(excluded)
            events += [IncomingEvent(*row) for row in rows]
            if len(events) >= self._batch_size:
                self.new += self._recorder.record(_part_name(name, part), events, bots, again=again)
                events, bots, part = [], Counter(), part + 1
        if events or bots:
            self.new += self._recorder.record(_part_name(name, part), events, bots, again=again)


def _line(events: Sequence[IncomingEvent], excluded: Counter[str]) -> bytes:
    """Encode the events of one request as a line of the journal."""
    rows = [
        [
            *(e.type, e.at, e.user, e.session, e.product_id, e.quantity, e.query, e.data),
            *(e.key, e.amount, e.currency),
        ]
        for e in events
    ]
    return json.dumps([rows, excluded], separators=(",", ":")).encode()


def _part_name(name: str, part: int) -> str:
    """Return a UUIDv7 that sorts with its file: the 12 bits after its version count the parts."""
    return f"{name[:15]}{part:03x}{name[18:]}"
