"""`manage.py prepare`: what must be there before a service starts. May be repeated."""

from __future__ import annotations

import importlib
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from chassis.couch import CouchError, Unavailable, ensure, open_store
from chassis.couch.administration import Server
from chassis.couch.connection import as_admin


class Command(BaseCommand):
    help = (
        "Creates the databases and views of container.COLLECTIONS (of TO_PREPARE there, where a service makes"
        " some ahead) and builds them. With COUCHDB_ADMIN_URL also the user of COUCHDB_URL, whose role alone"
        " may then use them."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--wait", type=float, default=30.0, help="seconds to wait for CouchDB")
        parser.add_argument("--remove-user", metavar="NAME", help="a user of before that is no longer needed")

    def handle(self, *args: Any, **options: Any) -> None:
        container = importlib.import_module(f"{settings.SERVICE_APP}.container")
        collections = tuple(getattr(container, "TO_PREPARE", container.COLLECTIONS))
        databases = sorted({collection.database for collection in collections})
        end = time.monotonic() + options["wait"]
        while True:
            try:
                _prepare(collections, databases)
                _call_prepared(container)
                break
            except Unavailable as error:
                if time.monotonic() > end:
                    raise CommandError(f"CouchDB does not answer: {error}") from error
                time.sleep(0.5)
            except CouchError as error:
                raise CommandError(f"CouchDB refuses: {error}") from error
        self.stdout.write(f"{settings.SERVICE}: {len(collections)} collections are ready")
        if options["remove_user"]:
            self._remove(options["remove_user"])

    def _remove(self, name: str) -> None:
        if name == Server(settings.COUCHDB_URL).user:
            raise CommandError(f"{name} is the user of COUCHDB_URL")
        removed = Server(settings.COUCHDB_ADMIN_URL).remove_user(name)
        self.stdout.write(f"{settings.SERVICE}: user {name} is {'removed' if removed else 'not there'}")


def _prepare(collections: Any, databases: list[str]) -> None:
    if not settings.COUCHDB_ADMIN_URL:
        ensure(collections)
        return
    admin, own = Server(settings.COUCHDB_ADMIN_URL), Server(settings.COUCHDB_URL)
    with as_admin():
        ensure((), databases)  # with their instance ids
        for database in databases:
            admin.grant_access(f"{settings.COUCHDB_PREFIX}{database}", settings.SERVICE)
        admin.put_user(own.user, own.password, settings.SERVICE)
        ensure(collections)
    for database in databases:
        open_store(database).get_local("ready")  # as the service itself


def _call_prepared(container: Any) -> None:
    """Call `container.prepared`, where a service has one, with an administrator's rights."""
    prepared = getattr(container, "prepared", None)
    if prepared is not None:
        with as_admin():
            prepared()
