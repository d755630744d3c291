"""The one place that chooses real parts."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.clock import now
from chassis.couch import couch_repository
from chassis.ids import new_id
from chassis.wiring import Wiring
from logs import repositories
from logs.services import Facts, Import, Intake, Reading, Stats

COLLECTIONS = repositories.COLLECTIONS


@dataclass(frozen=True, slots=True)
class Parts:
    intake: Intake
    facts: Facts
    reading: Reading
    stats: Stats
    importing: Import


def build() -> Parts:
    events = couch_repository(repositories.EVENTS)
    audit = couch_repository(repositories.AUDIT)
    return Parts(
        intake=Intake(events=events, clock=now, new_id=new_id),
        facts=Facts(events=events, audit=audit, clock=now, new_id=new_id),
        reading=Reading(events=events, audit=audit),
        stats=Stats(events=events),
        importing=Import(events=events, new_id=new_id),
    )


wiring = Wiring(build)
parts = wiring.parts

HANDLERS = {
    "order.confirmed": lambda envelope: parts().facts.order_confirmed(envelope),
    "audit.recorded": lambda envelope: parts().facts.audit_recorded(envelope),
    "account.erased": lambda envelope: parts().facts.account_erased(envelope),
}
