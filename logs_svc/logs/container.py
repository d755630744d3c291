"""The container: the one place that chooses real adapters."""

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
from chassis.clients import ServiceClient
from chassis.clock import now
from chassis.container import Container
from chassis.couch import Collection, CouchError, Repository, Unavailable, couch_repository, open_store
from chassis.ids import new_id
from logs import repositories
from logs.clients import Catalog
from logs.databases import CouchDatabases
from logs.domain import (
    LEGACY,
    MAX_MONTHS_AHEAD,
    MIN_MONTHS_AHEAD,
    MONTHS_AHEAD,
    AuditEntry,
    BotDetector,
    Months,
)
from logs.event_store import EventStore
from logs.journal import Journal
from logs.registry import MonthRegistry
from logs.rollups import Rollups
from logs.services import (
    Attribution,
    AuditTrail,
    Erasure,
    EventExporter,
    EventHandlers,
    EventImporter,
    EventQueries,
    Flusher,
    Intake,
    Maintenance,
    Recorder,
    Stats,
)
from logs.services.importer import BATCH_SIZE

_PEOPLE_PER_ADDRESS = 20  # an address may be a whole office


@dataclass(frozen=True, slots=True)
class Dependencies:
    """The use cases, and the repositories that the admin shows."""

    events: EventStore
    audit_entries: Repository[AuditEntry]
    registry: MonthRegistry
    rollups: Rollups
    recorder: Recorder
    flusher: Flusher
    leftover_flusher: Flusher
    intake: Intake
    event_handlers: EventHandlers
    event_queries: EventQueries
    stats: Stats
    audit_trail: AuditTrail
    erasure: Erasure
    importer: EventImporter
    exporter: EventExporter
    maintenance: Maintenance
    catalog: Catalog


def build() -> Dependencies:
    return bootstrap(
        folder=_journal(),
        max_bytes=settings.EVENTS_JOURNAL_MB << 20,
        clock=now,
        new_id=new_id,
    )


def _journal() -> Path:
    return Path(settings.EVENTS_JOURNAL_DIR or Path(settings.DATA_DIR) / "journal")


def bootstrap(*, folder: Path, max_bytes: int, clock: Any, new_id: Any, thread: bool = True) -> Dependencies:
    """Build the dependencies over the configured store; tests pass their own clock, ids and folder."""
    registry = MonthRegistry(open_store, clock)
    event_store = EventStore(registry)
    rollups = Rollups(lambda: open_store(repositories.ROLLUPS.database))
    identities = couch_repository(repositories.SESSION_IDENTITIES)
    entries = couch_repository(repositories.AUDIT)
    attribution = Attribution(registry)
    recorder = Recorder(
        registry=registry, rollups=rollups, identities=identities, attribution=attribution, clock=clock
    )

    def make_flusher(name: str, **options: Any) -> Flusher:
        return Flusher(
            journal=Journal(folder / name, new_id, max_bytes=max_bytes), recorder=recorder, **options
        )

    flusher = make_flusher("web", thread=thread)
    audit_trail = AuditTrail(
        entries=entries,
        links=couch_repository(repositories.LINKS),
        heads=couch_repository(repositories.HEADS),
        clock=clock,
        salt=lambda: secrets.token_hex(16),
    )
    erasure = Erasure(
        event_store=event_store,
        identities=identities,
        entries=entries,
        audit=audit_trail,
        attribution=attribution,
        clock=clock,
        wait_until_stored=flusher.wait_until_stored,
    )
    event_queries = EventQueries(
        event_store=event_store,
        identities=identities,
        sessions=erasure.sessions,
        clock=clock,
        wait_until_stored=flusher.wait_until_stored,
    )
    return Dependencies(
        events=event_store,
        audit_entries=entries,
        registry=registry,
        rollups=rollups,
        recorder=recorder,
        flusher=flusher,
        leftover_flusher=make_flusher("web", thread=False, min_age=5.0),
        intake=Intake(
            flusher=flusher,
            clock=clock,
            bots=BotDetector(time.time),
            ip_limiter=BotDetector(
                time.time,
                rate=2.0 * _PEOPLE_PER_ADDRESS,
                burst=600 * _PEOPLE_PER_ADDRESS,
                daily=5000 * _PEOPLE_PER_ADDRESS,
                repeats=50 * _PEOPLE_PER_ADDRESS,
            ),
        ),
        event_handlers=EventHandlers(
            recorder=recorder, audit=audit_trail, erasure=erasure, clock=clock, new_id=new_id
        ),
        event_queries=event_queries,
        stats=Stats(rollups=rollups, wait_until_stored=flusher.wait_until_stored),
        audit_trail=audit_trail,
        erasure=erasure,
        importer=EventImporter(
            make_flusher=lambda: make_flusher("import", thread=False, batch_size=BATCH_SIZE), clock=clock
        ),
        exporter=EventExporter(event_store=event_store, event_queries=event_queries),
        maintenance=Maintenance(
            registry=registry,
            event_store=event_store,
            rollups=rollups,
            identities=identities,
            audit=audit_trail,
            databases=CouchDatabases(),
            clock=clock,
            retention=timedelta(days=settings.EVENTS_KEPT_DAYS),
        ),
        catalog=Catalog(ServiceClient("catalog")),
    )


container = Container(build)
dependencies = container.get


def _months_to_create() -> int:
    """Return the number of months to create in advance.

    It is a year if the service's own user may not create databases, that is, if a separate administrator is
    configured.
    """
    return MAX_MONTHS_AHEAD if settings.COUCHDB_ADMIN_URL else MONTHS_AHEAD


class _Collections(Sequence[Collection[Any]]):
    """The fixed collections, and those of the existing months and of the months that `more` adds."""

    def __init__(self, more: Callable[[Months], Iterable[str]]) -> None:
        self._more = more

    def _now(self) -> tuple[Collection[Any], ...]:
        known = _existing_months()
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


def _existing_months() -> Months:
    try:
        dependencies().registry.invalidate()
        return dependencies().registry.months()
    except CouchError:
        return Months()  # nothing is prepared yet, or the store is unavailable, which the next query reports


#: The collections that `backup` saves; before anything is prepared, those of the present month.
COLLECTIONS = _Collections(lambda known: () if known.all else dependencies().registry.upcoming(0))
#: The collections that `prepare` creates.
TO_PREPARE = _Collections(lambda known: dependencies().registry.upcoming(_months_to_create()))


def prepared() -> None:
    """Register new months and drop expired ones, called by `prepare` as the server's administrator."""
    dependencies().maintenance.months_rotate(_months_to_create())


HANDLERS = {
    "order.confirmed": lambda envelope: dependencies().event_handlers.order_confirmed(envelope),
    "audit.recorded": lambda envelope: dependencies().event_handlers.audit_recorded(envelope),
    "account.erased": lambda envelope: dependencies().event_handlers.account_erased(envelope),
}


def _maintain_months() -> None:
    """Maintain the months first, as the other steps need them."""
    maintenance = dependencies().maintenance
    maintenance.months_rotate()
    maintenance.months_close()
    maintenance.identities_expire()


def _maintain_rollups() -> None:
    maintenance = dependencies().maintenance
    maintenance.upgrade()
    while maintenance.rollups_merge():
        pass


BACKGROUND = [
    Job("months, old session identities", run=_maintain_months, every=600),
    Job("rollups", run=_maintain_rollups, every=5),
    Job("events of ended processes", run=lambda: dependencies().leftover_flusher.flush(), every=3),
    Job("lists of this month", run=lambda: dependencies().maintenance.lists_build(), every=60),
]


def _has_months() -> None:
    """Raise `Unavailable` if there is no database for events."""
    if not dependencies().registry.months().all:
        raise Unavailable("no month has a database: run `manage.py prepare`")


#: The last check is optional: everything works without it until the months run out. It returns False rather
#: than raise, so that it does not fill the log; `months_rotate` logs it with an alarm.
READY = {
    "events": _has_months,
    "audit": lambda: open_store("audit").get_local("ready"),
    "months ahead": lambda: dependencies().registry.count_ahead() >= MIN_MONTHS_AHEAD,
}
SPARE = ("months ahead",)
