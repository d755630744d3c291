"""A history from a file, as seeding loads it."""

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
from logs.domain import TYPES, NotAnEvent, Told, moment, search_query
from logs.domain.events import text
from logs.services.draining import Drain

#: A history goes over many days, and each batch leaves a delta a day: the larger the fewer.
AT_ONCE = 5000
_AHEAD = timedelta(days=1)  # what another clock may be ahead, and is taken for now
_PATIENCE, _PAUSE = 60.0, 0.5  # seconds
_SAFE = re.compile(r"[A-Za-z0-9_.:-]{1,64}\Z")


@dataclass(slots=True)
class ImportProgress:
    """`known` had been imported before; `errors` are `(line number, reason)`."""

    read: int = 0
    stored: int = 0
    known: int = 0
    errors: list[tuple[int, str]] = field(default_factory=list)


class Import:
    def __init__(self, *, drain: Callable[[], Drain], clock: Callable[[], datetime]) -> None:
        """`drain` makes one with a journal of its own: what an import that was ended had accepted is stored
        by the next one.
        """
        self._drain, self._clock = drain, clock

    def events_import(self, lines: Iterable[str]) -> Iterator[ImportProgress]:
        """JSON lines `{id?, type, user?, session? (or session_id), product_id?, at, quantity?, data?}`.

        The progress after each 5,000. Whoever repeats it adds nothing, if the lines have ids. Unavailable.
        """
        drain, progress = self._drain(), ImportProgress()
        numbered = enumerate(lines, 1)
        while part := list(islice(numbered, AT_ONCE)):
            events = list(self._parsed(part, progress))
            before = drain.new
            if events:
                drain.accept(events, Counter())
                _store(drain)
            stored = drain.new - before
            progress.read += len(part)
            progress.stored += stored
            progress.known += len(events) - stored
            yield progress

    def _parsed(self, part: Iterable[tuple[int, str]], progress: ImportProgress) -> Iterator[Told]:
        for number, line in part:
            if not line.strip():
                continue
            try:
                yield self._event(json.loads(line))
            except (NotAnEvent, ValueError, KeyError, TypeError, AttributeError) as error:
                progress.errors.append((number, f"{type(error).__name__}: {error}"))

    def _event(self, row: dict[str, Any]) -> Told:
        if row["type"] not in TYPES:
            raise NotAnEvent("unknown type")
        at, now = moment(row["at"]), self._clock()
        if at > now + _AHEAD:
            raise NotAnEvent("at: in the future")
        data = dict(row.get("data") or {})
        total = data.get("total") if row["type"] == "purchase" else None
        money = total if isinstance(total, dict) else {}
        return Told(
            type=row["type"],
            at=text(min(at, now)),
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


def _store(drain: Drain) -> None:
    """All that was accepted; while the store is away, for a minute. Unavailable."""
    end = time.monotonic() + _PATIENCE
    while drain.drain():
        if time.monotonic() > end:
            raise Unavailable("the store does not answer; run it again later")
        time.sleep(_PAUSE)


def _name(row: dict[str, Any], field: str) -> str | None:
    value = row.get(field)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not _SAFE.match(value):
        raise NotAnEvent(f"{field}: 1 to 64 letters, digits, or one of _.:-")
    return value


def _key(row: dict[str, Any]) -> str | None:
    id = _name(row, "id")
    return None if id is None else f"import-{id}"
