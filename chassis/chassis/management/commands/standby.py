"""`manage.py standby start|status|stop --to HOST`: a second CouchDB follows that of `COUCHDB_ADMIN_URL`."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from chassis.backup.service import databases
from chassis.couch import CouchError
from chassis.couch.administration import Server
from chassis.couch.standby import Diverged, Lag, Standby

BEHIND = 1


class Command(BaseCommand):
    help = (
        "Starts, shows or ends the replication of the service's databases to a second server with the same"
        " administrator. Ends with 1 when it does not run, or --wait was too short to catch up."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("verb", choices=["start", "status", "stop"])
        parser.add_argument("--to", required=True, metavar="HOST", help="the standby, HOST or HOST:PORT")
        parser.add_argument(
            "--from", metavar="HOST", dest="source", help="instead of COUCHDB_ADMIN_URL's host"
        )
        parser.add_argument(
            "--anew", action="store_true", help="start: delete what the standby has of its own"
        )
        parser.add_argument(
            "--wait", type=float, default=0.0, help="seconds to wait until nothing is missing"
        )
        parser.add_argument("--json", action="store_true", help="status as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.COUCHDB_ADMIN_URL:
            raise CommandError("COUCHDB_ADMIN_URL is not set")
        standby = Standby(
            Server(_at(options["source"])), Server(_at(options["to"])), role=settings.SERVICE,
            databases=databases(),
        )  # fmt: skip
        try:
            getattr(self, f"_{options['verb']}")(standby, options)
        except Diverged as error:
            raise CommandError(f"{error}: --anew deletes them") from error
        except CouchError as error:
            raise CommandError(f"{settings.SERVICE}: {error}") from error

    def _start(self, standby: Standby, options: dict[str, Any]) -> None:
        standby.start(anew=options["anew"])
        self.stdout.write(f"{settings.SERVICE}: {standby.standby.host} follows {standby.primary.host}")
        if options["wait"]:
            self._status(standby, options)

    def _status(self, standby: Standby, options: dict[str, Any]) -> None:
        lags = standby.catch_up(options["wait"]) if options["wait"] else standby.lags()
        if options["json"]:
            self.stdout.write(json.dumps({lag.database: asdict(lag) for lag in lags}))
        else:
            self.stdout.write("\n".join(_line(lag) for lag in lags))
        late = options["wait"] and any(lag.behind != 0 for lag in lags)
        if late or not all(lag.works for lag in lags):
            sys.exit(BEHIND)

    def _stop(self, standby: Standby, options: dict[str, Any]) -> None:
        ended = standby.stop()
        text = "follows nobody any more" if ended else "followed nobody"
        self.stdout.write(f"{settings.SERVICE}: {standby.standby.host} {text}")


def _at(host: str | None) -> str:
    """Return the administrator's URL on another host."""
    url = urlsplit(settings.COUCHDB_ADMIN_URL)
    if not host:
        return str(settings.COUCHDB_ADMIN_URL)
    place = host if ":" in host else f"{host}:{url.port or 5984}"
    return url._replace(netloc=f"{url.netloc.rpartition('@')[0]}@{place}").geturl()


def _line(lag: Lag) -> str:
    if lag.behind is None:
        how = "how far behind is not known"
    elif lag.behind:
        how = f"{lag.behind:,} documents behind, the oldest for {lag.seconds:.1f} s"
    else:
        how = "nothing is missing"
    last = "" if lag.last_write is None else f", last write {time.time() - lag.last_write:.0f} s ago"
    return f"{lag.database}: {lag.state}, {how}{last}{f' ({lag.error})' if lag.error else ''}"
