"""Import of an event history from a file, as used by seeding."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from chassis.couch import Unavailable
from logs.domain import TYPES, IncomingEvent, InvalidEvent, parse_time, search_query
from logs.domain.events import format_time
from logs.services.flusher import Flusher

#: A history spans many days, and each batch leaves a delta per day: larger batches leave fewer.
BATCH_SIZE = 5000
_AHEAD = timedelta(days=1)  # tolerance for a fast clock; such a time is taken as now
_PATIENCE, _PAUSE = 60.0, 0.5  # seconds
_SAFE = re.compile(r"[A-Za-z0-9_.:-]{1,64}\Z")


@dataclass(slots=True)
class ImportProgress:
    """The counts of an import so far.

    `known` events had been imported before; `errors` are `(line number, reason)`.
    """

    read: int = 0
    stored: int = 0
    known: int = 0
    errors: list[tuple[int, str]] = field(default_factory=list)


class EventImporter:
    def __init__(self, *, make_flusher: Callable[[], Flusher], clock: Callable[[], datetime]) -> None:
        """Set up an importer; `make_flusher` creates a flusher with a journal of its own.

        Events that an interrupted import had accepted are stored by the next one.
        """
        self._make_flusher, self._clock = make_flusher, clock

    def events_import(self, lines: Iterable[str]) -> Iterator[ImportProgress]:
        """Import JSON lines, and yield the progress after each 5,000; raises Unavailable.

        A line is `{id?, type, user?, session? (or session_id), product_id?, at, quantity?, data?}`. Repeating
        an import adds nothing, if the lines have ids.
        """
        flusher, progress = self._make_flusher(), ImportProgress()
        numbered = enumerate(lines, 1)
        while part := list(islice(numbered, BATCH_SIZE)):
            events = list(self._parsed(part, progress))
            before = flusher.new
            if events:
                flusher.accept(events, Counter())
                _store(flusher)
            stored = flusher.new - before
            progress.read += len(part)
            progress.stored += stored
            progress.known += len(events) - stored
            yield progress

    def _parsed(self, part: Iterable[tuple[int, str]], progress: ImportProgress) -> Iterator[IncomingEvent]:
        for number, line in part:
            if not line.strip():
                continue
            try:
                yield self._event(json.loads(line))
            except (InvalidEvent, ValueError, KeyError, TypeError, AttributeError) as error:
                progress.errors.append((number, f"{type(error).__name__}: {error}"))

    def _event(self, row: dict[str, Any]) -> IncomingEvent:
        if row["type"] not in TYPES:
            raise InvalidEvent("unknown type")
        at, now = parse_time(row["at"]), self._clock()
        if at > now + _AHEAD:
            raise InvalidEvent("at: in the future")
        data = dict(row.get("data") or {})
        total = data.get("total") if row["type"] == "purchase" else None
        money = total if isinstance(total, dict) else {}
        return IncomingEvent(
            type=row["type"],
            at=format_time(min(at, now)),
            user=_name(row, "user"),
            session=_name(row, "session") or _name(row, "session_id"),
            product_id=_name(row, "product_id"),
            quantity=int(row.get("quantity") or 1),
            query=search_query(data) if row["type"] == "search" else None,
            data=data,
            key=_key(row),
            amount=int(money.get("amount", 0)),
            currency=str(money.get("currency", "")),
        )


def _store(flusher: Flusher) -> None:
    """Store all accepted events, retrying for a minute while the store is unavailable.

    Raises Unavailable after that.
    """
    end = time.monotonic() + _PATIENCE
    while flusher.flush():
        if time.monotonic() > end:
            raise Unavailable("the store does not answer; run it again later")
        time.sleep(_PAUSE)


def _name(row: dict[str, Any], field: str) -> str | None:
    value = row.get(field)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not _SAFE.match(value):
        raise InvalidEvent(f"{field}: 1 to 64 letters, digits, or one of _.:-")
    return value


def _key(row: dict[str, Any]) -> str | None:
    id = _name(row, "id")
    return None if id is None else f"import-{id}"
