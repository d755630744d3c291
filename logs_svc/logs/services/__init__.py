"""The use cases of logs_svc."""

from logs.rollups import Days
from logs.services.attribution import Attribution
from logs.services.audit_trail import AuditTrail, VerificationReport
from logs.services.erasure import Erasure
from logs.services.event_handlers import EventHandlers
from logs.services.event_queries import EventFilter, EventQueries, HistoryPage
from logs.services.exporter import EventExporter, NoParquet
from logs.services.flusher import Flusher
from logs.services.importer import EventImporter, ImportProgress
from logs.services.intake import Intake, IntakeResult, Visitor
from logs.services.maintenance import Maintenance
from logs.services.recorder import Recorder
from logs.services.stats import Stats

__all__ = [
    "Attribution",
    "AuditTrail",
    "Days",
    "Erasure",
    "EventExporter",
    "EventFilter",
    "EventHandlers",
    "EventImporter",
    "EventQueries",
    "Flusher",
    "HistoryPage",
    "ImportProgress",
    "Intake",
    "IntakeResult",
    "Maintenance",
    "NoParquet",
    "Recorder",
    "Stats",
    "VerificationReport",
    "Visitor",
]
