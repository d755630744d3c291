"""Export of the event history to a file of JSON lines or Parquet."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from logs.domain import Event
from logs.domain.events import format_time
from logs.event_store import EventStore
from logs.services.event_queries import EventQueries

FORMATS = ("jsonl", "parquet")
_BATCH_SIZE = 500


class NoParquet(Exception):
    """pyarrow is not installed."""


class EventExporter:
    def __init__(self, *, event_store: EventStore, event_queries: EventQueries) -> None:
        self._event_store, self._event_queries = event_store, event_queries

    def rows(self, start: datetime | None, end: datetime | None) -> Iterator[list[dict[str, Any]]]:
        """Iterate over events with `start <= at < end` in order of arrival, some hundred at a time."""
        cursor = None
        while True:
            page = self._event_queries.events_after(cursor, limit=_BATCH_SIZE)
            yield [_row(event) for event in page.events if _within(event, start, end)]
            cursor = page.next
            if cursor is None:
                return

    def write(self, parts: Iterable[list[dict[str, Any]]], format: str, path: Path) -> int:
        """Write a file and return the number of events; raises NoParquet, OSError.

        The file gets its name only when it is complete.
        """
        temporary = path.with_name(path.name + ".part")
        writer = _parquet if format == "parquet" else _jsonl
        try:
            with temporary.open("wb") as file:
                count = writer(parts, file)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        return count


def _jsonl(parts: Iterable[list[dict[str, Any]]], file: IO[bytes]) -> int:
    """Write JSON lines, as `import_events` reads them."""
    count = 0
    for rows in parts:
        file.write(b"".join(json.dumps(row, separators=(",", ":")).encode() + b"\n" for row in rows))
        count += len(rows)
    return count


def _parquet(parts: Iterable[list[dict[str, Any]]], file: IO[bytes]) -> int:
    """Write Parquet with `at` as a timestamp and `data` as JSON text, as its names differ by event."""
    try:
        import pyarrow as pa  # large, and nothing else here needs it
        import pyarrow.parquet as pq
    except ImportError as error:
        raise NoParquet("pyarrow is missing: pip install -r requirements/science.txt") from error
    fields = [
        (name, pa.string()) for name in ("id", "type", "user", "session", "product_id", "query", "data")
    ]
    schema = pa.schema([*fields, ("quantity", pa.int64()), ("at", pa.timestamp("ms", tz="UTC"))])
    count = 0
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for rows in parts:
            flat = [
                {**row, "data": json.dumps(row["data"]), "at": datetime.fromisoformat(row["at"])}
                for row in rows
            ]
            writer.write_table(pa.Table.from_pylist(flat, schema=schema))
            count += len(rows)
    return count


def _within(event: Event, start: datetime | None, end: datetime | None) -> bool:
    return (start is None or event.at >= start) and (end is None or event.at < end)


def _row(event: Event) -> dict[str, Any]:
    return {
        "id": event.id,
        "type": event.type,
        "at": format_time(event.at),
        "user": event.user,
        "session": event.session,
        "product_id": event.product_id,
        "quantity": event.quantity,
        "query": event.query,
        "data": event.data,
    }
