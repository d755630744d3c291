"""The history as a file that other programs read: JSON lines, or Parquet."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from logs.archive import Archive
from logs.domain import Event
from logs.domain.events import text
from logs.services.reading import Reading

FORMATS = ("jsonl", "parquet")
_AT_ONCE = 500


class NoParquet(Exception):
    """pyarrow is not installed."""


class Export:
    def __init__(self, *, archive: Archive, reading: Reading) -> None:
        self._archive, self._reading = archive, reading

    def rows(self, start: datetime | None, end: datetime | None) -> Iterator[list[dict[str, Any]]]:
        """Events with `start <= at < end`, some hundred at a time, in the order in which they arrived."""
        cursor = None
        while True:
            page = self._reading.events_after(cursor, limit=_AT_ONCE)
            yield [_row(event) for event in page.events if _within(event, start, end)]
            cursor = page.next
            if cursor is None:
                return

    def write(self, parts: Iterable[list[dict[str, Any]]], format: str, path: Path) -> int:
        """Write a file, under its own name only when it is whole; how many events. NoParquet, OSError."""
        fresh = path.with_name(path.name + ".part")
        writer = _parquet if format == "parquet" else _jsonl
        try:
            with fresh.open("wb") as file:
                count = writer(parts, file)
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
        return count


def _jsonl(parts: Iterable[list[dict[str, Any]]], file: IO[bytes]) -> int:
    """What `import_events` reads."""
    count = 0
    for rows in parts:
        file.write(b"".join(json.dumps(row, separators=(",", ":")).encode() + b"\n" for row in rows))
        count += len(rows)
    return count


def _parquet(parts: Iterable[list[dict[str, Any]]], file: IO[bytes]) -> int:
    """`at` as a timestamp, `data` as JSON text: its names differ from event to event."""
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
        "at": text(event.at),
        "user": event.user,
        "session": event.session,
        "product_id": event.product_id,
        "quantity": event.quantity,
        "query": event.query,
        "data": event.data,
    }
