"""`manage.py backup --to FOLDER`: all that the service keeps, as files (chassis/backup)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from chassis.backup import BadBackup, save
from chassis.backup.service import databases, extras
from chassis.couch import CouchError
from chassis.couch.connection import as_admin


class Command(BaseCommand):
    help = "Writes every database of the service, and its files, into an empty folder."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--to", type=Path, required=True, metavar="FOLDER")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with as_admin():
                made = save(
                    options["to"],
                    service=settings.SERVICE,
                    databases=databases(),
                    more=extras(),
                    say=self._say,
                )
        except (BadBackup, CouchError, OSError) as error:
            raise CommandError(f"{settings.SERVICE} is not saved: {error}") from error
        documents = sum(part.counts["documents"] for part in made.databases.values())
        self._say(f"saved: {documents:,} documents in {len(made.databases)} databases")

    def _say(self, text: str) -> None:
        self.stdout.write(f"{settings.SERVICE}: {text}")
        self.stdout.flush()
