"""The one place that chooses real parts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings

from chassis.background import Job
from chassis.clock import now
from chassis.couch import Repository, couch_repository, open_store
from chassis.ids import new_id
from chassis.wiring import Wiring
from logs import repositories
from logs.domain import AuditEntry, Event
from logs.services import Facts, Import, Intake, Keeper, Reading, Stats

COLLECTIONS = repositories.COLLECTIONS


@dataclass(frozen=True, slots=True)
class Parts:
    """The use cases; and, for the admin, what is stored."""

    events: Repository[Event]
    audit: Repository[AuditEntry]
    intake: Intake
    facts: Facts
    reading: Reading
    stats: Stats
    importing: Import
    keeper: Keeper


def build() -> Parts:
    events = couch_repository(repositories.EVENTS)
    audit = couch_repository(repositories.AUDIT)
    return Parts(
        events=events,
        audit=audit,
        intake=Intake(events=events, clock=now, new_id=new_id),
        facts=Facts(events=events, audit=audit, clock=now, new_id=new_id),
        reading=Reading(events=events, audit=audit),
        stats=Stats(events=events),
        importing=Import(events=events, new_id=new_id),
        keeper=Keeper(events=events, clock=now, kept=timedelta(days=settings.EVENTS_KEPT_DAYS)),
    )


wiring = Wiring(build)
parts = wiring.parts

HANDLERS = {
    "order.confirmed": lambda envelope: parts().facts.order_confirmed(envelope),
    "audit.recorded": lambda envelope: parts().facts.audit_recorded(envelope),
    "account.erased": lambda envelope: parts().facts.account_erased(envelope),
}

BACKGROUND = [Job("sweeper of old events", run=lambda: parts().keeper.events_sweep(), every=600)]
READY = {
    "events": lambda: open_store("events").get_local("ready"),
    "audit": lambda: open_store("audit").get_local("ready"),
}
