"""Import a history of events from a file of JSON lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from logs.container import dependencies
from logs.services import ImportProgress

_SHOWN_ERRORS = 10


class Command(BaseCommand):
    help = (
        "Load events from a file of JSON lines; those that have an id are loaded once, however often it runs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        progress = ImportProgress()
        try:
            with file.open(encoding="utf-8") as lines:
                for progress in dependencies().importer.events_import(lines):
                    self.stdout.write(
                        f"{progress.read} read, {progress.stored} stored, {progress.known} known"
                    )
            while dependencies().maintenance.rollups_merge(
                all=True
            ):  # so that figures need not read each delta
                pass
            dependencies().maintenance.months_close()
        except OSError as error:
            raise CommandError(f"{error.filename or file}: {error.strerror}") from error
        for number, reason in progress.errors[:_SHOWN_ERRORS]:
            self.stderr.write(f"line {number}: {reason}")
        if progress.errors:
            raise CommandError(f"{len(progress.errors)} lines are invalid")
