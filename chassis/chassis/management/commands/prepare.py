"""`manage.py prepare`: what must be there before a service starts. May be repeated."""

from __future__ import annotations

import importlib
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from chassis.couch import Unavailable, ensure


class Command(BaseCommand):
    help = "Creates the databases and views of wiring.COLLECTIONS and builds them."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--wait", type=float, default=30.0, help="seconds to wait for CouchDB")

    def handle(self, *args: Any, **options: Any) -> None:
        wiring = importlib.import_module(f"{settings.SERVICE_APP}.wiring")
        end = time.monotonic() + options["wait"]
        while True:
            try:
                ensure(wiring.COLLECTIONS)
                break
            except Unavailable as error:
                if time.monotonic() > end:
                    raise CommandError(f"CouchDB does not answer: {error}") from error
                time.sleep(0.5)
        self.stdout.write(f"{settings.SERVICE}: {len(wiring.COLLECTIONS)} collections are ready")
