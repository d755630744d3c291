"""A history from a file, as seeding loads it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from chassis.couch import Repository
from logs.domain import TYPES, Event, NotAnEvent, moment, search_query

_AT_ONCE = 500
_SAFE = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z")


@dataclass(slots=True)
class ImportProgress:
    """`known` had been imported before; `errors` are `(line number, reason)`."""

    read: int = 0
    stored: int = 0
    known: int = 0
    errors: list[tuple[int, str]] = field(default_factory=list)


class Import:
    def __init__(self, *, events: Repository[Event], new_id: Callable[[], str]) -> None:
        self._events, self._new_id = events, new_id

    def events_import(self, lines: Iterable[str]) -> Iterator[ImportProgress]:
        """JSON lines `{id?, type, user?, session? (or session_id), product_id?, at, quantity?, data?}`.

        The progress after each 500. Whoever repeats it adds nothing, if the lines have ids.
        """
        progress = ImportProgress()
        numbered = enumerate(lines, 1)
        while part := list(islice(numbered, _AT_ONCE)):
            events = list(self._parsed(part, progress))
            stored = sum(self._events.add_many(events)) if events else 0
            progress.read += len(part)
            progress.stored += stored
            progress.known += len(events) - stored
            yield progress

    def _parsed(self, part: Iterable[tuple[int, str]], progress: ImportProgress) -> Iterator[Event]:
        for number, line in part:
            if not line.strip():
                continue
            try:
                yield self._event(json.loads(line))
            except (NotAnEvent, ValueError, KeyError, TypeError, AttributeError) as error:
                progress.errors.append((number, f"{type(error).__name__}: {error}"))

    def _event(self, row: dict[str, Any]) -> Event:
        if row["type"] not in TYPES:
            raise NotAnEvent("unknown type")
        arrived, data = self._new_id(), dict(row.get("data") or {})
        told_id = row.get("id")
        if told_id is not None and not _SAFE.match(told_id):
            raise NotAnEvent("id: 1 to 64 letters, digits, or one of _.-")
        return Event(
            id=f"i-{told_id}" if told_id else arrived,
            type=row["type"],
            at=moment(row["at"]),
            arrived=arrived,
            user=row.get("user"),
            session=row.get("session") or row.get("session_id"),
            product_id=row.get("product_id"),
            quantity=int(row.get("quantity") or 1),
            query=search_query(data) if row["type"] == "search" else None,
            data=data,
        )
