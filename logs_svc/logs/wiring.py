"""The one place that chooses real parts."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, overload

from django.conf import settings

from chassis.background import Job
from chassis.clock import now
from chassis.couch import Collection, CouchError, Repository, Unavailable, couch_repository, open_store
from chassis.ids import new_id
from chassis.siblings import Sibling
from chassis.wiring import Wiring
from logs import repositories
from logs.archive import Archive
from logs.clients import Catalog
from logs.databases import CouchDatabases
from logs.domain import AHEAD, LEAST, LEGACY, YEAR, AuditEntry, Bots, Months
from logs.journal import Journal
from logs.registry import Registry
from logs.rollups import Rollups
from logs.services import (
    Attribution,
    Audit,
    Drain,
    Erasing,
    Export,
    Facts,
    Import,
    Intake,
    Keeper,
    Reading,
    Recorder,
    Stats,
)
from logs.services.importing import AT_ONCE

_CROWD = 20  # an address may be a whole office: so many times what one person may


@dataclass(frozen=True, slots=True)
class Parts:
    """The use cases; and, for the admin, what is stored."""

    events: Archive
    audit: Repository[AuditEntry]
    registry: Registry
    rollups: Rollups
    recorder: Recorder
    drain: Drain
    leftovers: Drain
    intake: Intake
    facts: Facts
    reading: Reading
    stats: Stats
    trail: Audit
    erasing: Erasing
    importing: Import
    exporting: Export
    keeper: Keeper
    catalog: Catalog


def build() -> Parts:
    return assemble(
        folder=_journal(),
        most=settings.EVENTS_JOURNAL_MB << 20,
        clock=now,
        new_id=new_id,
    )


def _journal() -> Path:
    return Path(settings.EVENTS_JOURNAL_DIR or Path(settings.DATA_DIR) / "journal")


def assemble(*, folder: Path, most: int, clock: Any, new_id: Any, thread: bool = True) -> Parts:
    """All parts over the configured store; tests give a clock, ids and a folder of their own."""
    registry = Registry(open_store, clock)
    archive = Archive(registry)
    rollups = Rollups(lambda: open_store(repositories.ROLLUPS.database))
    ties = couch_repository(repositories.TIES)
    entries = couch_repository(repositories.AUDIT)
    attribution = Attribution(registry)
    recorder = Recorder(registry=registry, rollups=rollups, ties=ties, attribution=attribution, clock=clock)

    def drain(name: str, **options: Any) -> Drain:
        return Drain(journal=Journal(folder / name, new_id, most=most), recorder=recorder, **options)

    own = drain("web", thread=thread)
    trail = Audit(
        entries=entries,
        links=couch_repository(repositories.LINKS),
        heads=couch_repository(repositories.HEADS),
        clock=clock,
        salt=lambda: secrets.token_hex(16),
    )
    erasing = Erasing(
        archive=archive,
        ties=ties,
        entries=entries,
        audit=trail,
        attribution=attribution,
        clock=clock,
        settle=own.settle,
    )
    reading = Reading(archive=archive, ties=ties, sessions=erasing.sessions, clock=clock, settle=own.settle)
    return Parts(
        events=archive,
        audit=entries,
        registry=registry,
        rollups=rollups,
        recorder=recorder,
        drain=own,
        leftovers=drain("web", thread=False, patience=5.0),
        intake=Intake(
            drain=own,
            clock=clock,
            bots=Bots(time.time),
            crowds=Bots(
                time.time, rate=2.0 * _CROWD, burst=600 * _CROWD, daily=5000 * _CROWD, repeats=50 * _CROWD
            ),
        ),
        facts=Facts(recorder=recorder, audit=trail, erasing=erasing, clock=clock, new_id=new_id),
        reading=reading,
        stats=Stats(rollups=rollups, settle=own.settle),
        trail=trail,
        erasing=erasing,
        importing=Import(drain=lambda: drain("import", thread=False, most=AT_ONCE), clock=clock),
        exporting=Export(archive=archive, reading=reading),
        keeper=Keeper(
            registry=registry,
            archive=archive,
            rollups=rollups,
            ties=ties,
            audit=trail,
            databases=CouchDatabases(),
            clock=clock,
            kept=timedelta(days=settings.EVENTS_KEPT_DAYS),
        ),
        catalog=Catalog(Sibling("catalog")),
    )


wiring = Wiring(build)
parts = wiring.parts


def _ahead() -> int:
    """How many months are made ahead: a year for a service that may not make databases by itself, which is
    one that has an administrator besides.
    """
    return YEAR if settings.COUCHDB_ADMIN_URL else AHEAD


class _Collections(Sequence[Collection[Any]]):
    """All collections, with those of the months that there are; `more` months are there whether they are or
    not.
    """

    def __init__(self, more: Callable[[Months], Iterable[str]]) -> None:
        self._more = more

    def _now(self) -> tuple[Collection[Any], ...]:
        known = _known()
        wanted = {*known.all, *self._more(known)}
        return (
            *repositories.FIXED,
            *((repositories.events_of(LEGACY),) if known.legacy else ()),
            *(each for one in sorted(wanted) for each in repositories.of_month(one)),
        )

    def __iter__(self) -> Iterator[Collection[Any]]:
        return iter(self._now())

    def __len__(self) -> int:
        return len(self._now())

    @overload
    def __getitem__(self, place: int) -> Collection[Any]: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Collection[Any]]: ...
    def __getitem__(self, place: Any) -> Any:
        return self._now()[place]


def _known() -> Months:
    try:
        parts().registry.forget()
        return parts().registry.months()
    except CouchError:
        return Months()  # nothing is prepared yet, or the store is away, as whoever goes on will find


#: What `backup` saves; before anything is prepared the month that will be.
COLLECTIONS = _Collections(lambda known: () if known.all else parts().registry.ahead(0))
#: What `prepare` makes.
TO_PREPARE = _Collections(lambda known: parts().registry.ahead(_ahead()))


def prepared() -> None:
    """Called by `prepare` as the server's administrator, when the databases are there: months that were made
    become known, those that are too old are dropped.
    """
    parts().keeper.months_keep(_ahead())


HANDLERS = {
    "order.confirmed": lambda envelope: parts().facts.order_confirmed(envelope),
    "audit.recorded": lambda envelope: parts().facts.audit_recorded(envelope),
    "account.erased": lambda envelope: parts().facts.account_erased(envelope),
}


def _housekeeping() -> None:
    """Months first: the others need them."""
    keeper = parts().keeper
    keeper.months_keep()
    keeper.months_close()
    keeper.ties_sweep()


def _rollups() -> None:
    keeper = parts().keeper
    keeper.upgrade()
    while keeper.rollups_merge():
        pass


BACKGROUND = [
    Job("months, old ties", run=_housekeeping, every=600),
    Job("rollups", run=_rollups, every=5),
    Job("what ended processes accepted", run=lambda: parts().leftovers.drain(), every=3),
    Job("lists of this month", run=lambda: parts().keeper.lists_build(), every=60),
]


def _has_months() -> None:
    """Raises `Unavailable` when there is nowhere to put events."""
    if not parts().registry.months().all:
        raise Unavailable("no month has a database: run `manage.py prepare`")


#: The last is no reason to stop: without it everything works, until somebody prepares more or time runs out.
#: It answers rather than raises, so that the log is not filled with it; `months_keep` says it with an alarm.
READY = {
    "events": _has_months,
    "audit": lambda: open_store("audit").get_local("ready"),
    "months ahead": lambda: parts().registry.left() >= LEAST,
}
SPARE = ("months ahead",)
