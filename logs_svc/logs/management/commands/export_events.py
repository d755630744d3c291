"""Export the history of events to a file."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from logs.container import dependencies
from logs.services import NoParquet
from logs.services.exporter import FORMATS


class Command(BaseCommand):
    help = "Export events to a file of JSON lines (which import_events reads) or Parquet (needs pyarrow)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--format", choices=FORMATS, default="jsonl")
        parser.add_argument("--from", dest="first", type=date.fromisoformat, metavar="DAY")
        parser.add_argument("--to", dest="last", type=date.fromisoformat, metavar="DAY", help="included")

    def handle(
        self, *args: Any, file: Path, format: str, first: date | None, last: date | None, **options: Any
    ) -> None:
        start = datetime.combine(first, time(), UTC) if first else None
        end = datetime.combine(last + timedelta(days=1), time(), UTC) if last else None
        exporter = dependencies().exporter
        try:
            count = exporter.write(exporter.rows(start, end), format, file)
        except NoParquet as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from error
        self.stdout.write(f"{count} events in {file}")
