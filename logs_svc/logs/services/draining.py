"""From the journal to the store, in the background of each web process; and whatever ended processes left."""

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
from logs.domain import Told
from logs.journal import Journal, locked
from logs.services.recording import Recorder

log = logging.getLogger(__name__)

_SWITCH = 0.0005  # seconds
_LINGER = 0.03  # seconds in which more may come, so that a batch is worth its requests
_MOST = 250  # events of a batch, or a request more: what is encoded at once holds up requests
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0
_ATTEMPTS = 5  # for what the store refuses; while it is away there is no limit


class Drain:
    """`accept` keeps events on disk; a thread, started with the first of them, stores them soon after."""

    def __init__(
        self,
        *,
        journal: Journal,
        recorder: Recorder,
        thread: bool = True,
        patience: float = 0.0,
        most: int = _MOST,
    ) -> None:
        """Without a thread somebody calls `drain`; with patience (seconds) it leaves what is younger to the
        process that accepted it. A batch is stored with `most` events or a request more.
        """
        self.journal, self._recorder = journal, recorder
        self._threaded, self._patience, self._most = thread, patience, most
        self.new = 0  # events stored that were not known before
        self._some = threading.Condition()
        self._accepted = self._stored = 0
        self._thread: tuple[int, threading.Thread] | None = None
        self._failures: Counter[str] = Counter()
        self._turn = threading.Lock()

    def accept(self, events: Sequence[Told], apart: Counter[str]) -> None:
        """In the journal when this returns. JournalFull, OSError."""
        self.journal.append(_line(events, apart))
        with self._some:
            self._accepted += 1
            if self._threaded and (self._thread is None or self._thread[0] != os.getpid()):
                self._start()
            self._some.notify_all()

    def settle(self, seconds: float = 0.5) -> bool:
        """Wait until what this process accepted up to now is stored, so that whoever asks sees it; False
        when that takes longer.
        """
        if not self._threaded:
            return self.drain() == 0
        with self._some:
            wanted = self._accepted
            return self._some.wait_for(lambda: self._stored >= wanted, seconds)

    def drain(self) -> int:
        """Store what is sealed, and what ended processes left; how many files are left. Never raises what
        the store does.
        """
        with self._turn:
            mine = self.journal.seal()
            self.journal.adopt()
            try:
                for path in self.journal.sealed(self._patience):
                    self._store(path, again=path != mine)
            except CouchError as error:
                log.warning("events wait for the store: %s", error)
        return len(self.journal.sealed(self._patience))

    def _start(self) -> None:
        # Requests share the interpreter with the drain: let them have it after half a millisecond, not five.
        sys.setswitchinterval(_SWITCH)
        thread = threading.Thread(target=self._run, name="events drain", daemon=True)
        self._thread = (os.getpid(), thread)
        atexit.register(self._end, os.getpid())
        thread.start()

    def _end(self, pid: int) -> None:
        """A process that is told to end stores what it has: its disk may end with it."""
        if pid == os.getpid():
            self.drain()

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            with self._some:
                self._some.wait_for(lambda: self._stored < self._accepted)
            time.sleep(_LINGER)
            with self._some:
                wanted = self._accepted
            try:
                left = self.drain()
            except Exception:
                log.exception("the events drain stumbled")
                left = 1
            if left:
                time.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            pause = _FIRST_PAUSE
            with self._some:
                self._stored = wanted
                self._some.notify_all()

    def _store(self, path: Path, *, again: bool) -> None:
        """One sealed file, unless another process has it. Raises `Unavailable`."""
        with locked(path) as number:
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
                self.journal.set_aside(path)
                return
            self.journal.done(path, len(content))

    def _record(self, name: str, content: bytes, *, again: bool) -> None:
        """In parts of some hundred events. A part's name is the file's, with its number in the place where a
        UUIDv7 is random: the same each time.
        """
        events: list[Told] = []
        bots: Counter[str] = Counter()
        part = 0
        for line in content.split(b"\n")[:-1]:  # what follows the last end of a line was never answered
            rows, apart = json.loads(line)
            bots.update(apart)
            events += [Told(*row) for row in rows]
            if len(events) >= self._most:
                self.new += self._recorder.record(_part_name(name, part), events, bots, again=again)
                events, bots, part = [], Counter(), part + 1
        if events or bots:
            self.new += self._recorder.record(_part_name(name, part), events, bots, again=again)


def _line(events: Sequence[Told], apart: Counter[str]) -> bytes:
    """What the journal keeps of one request."""
    rows = [
        [
            *(e.type, e.at, e.user, e.session, e.product_id, e.quantity, e.query, e.data),
            *(e.key, e.amount, e.currency),
        ]
        for e in events
    ]
    return json.dumps([rows, apart], separators=(",", ":")).encode()


def _part_name(name: str, part: int) -> str:
    """A UUIDv7 that sorts with the others of its file: the 12 bits after its version count the parts."""
    return f"{name[:15]}{part:03x}{name[18:]}"
