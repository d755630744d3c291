"""`manage.py restore --from FOLDER`: what `manage.py backup` wrote, back into the databases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from chassis.backup import BadBackup, NotEmpty, restore
from chassis.backup.service import extras
from chassis.couch import CouchError
from chassis.couch.connection import as_admin


class Command(BaseCommand):
    help = (
        "Checks a backup, puts it into the service's databases and builds their views. Refuses databases with"
        " documents in them. Nothing of the service may run meanwhile."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", type=Path, required=True, metavar="FOLDER", dest="folder")
        parser.add_argument(
            "--force", action="store_true", help="delete what is in the databases, once the backup is checked"
        )

        parser.add_argument("--check", action="store_true", help="only look whether it could be done")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with as_admin():
                restore(
                    options["folder"],
                    service=settings.SERVICE,
                    more=extras(),
                    force=options["force"],
                    check=options["check"],
                    say=self._say,
                )
        except NotEmpty as error:
            raise CommandError(f"{settings.SERVICE} is as it was: {error} (--force deletes them)") from error
        except BadBackup as error:
            raise CommandError(f"{settings.SERVICE} is as it was: no whole backup: {error}") from error
        except (CouchError, OSError) as error:
            raise CommandError(f"{settings.SERVICE} is not restored: {error}") from error
        if not options["check"]:
            call_command("prepare", stdout=self.stdout)

    def _say(self, text: str) -> None:
        self.stdout.write(f"{settings.SERVICE}: {text}")
        self.stdout.flush()
