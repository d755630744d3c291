"""The use cases of logs_svc."""

from logs.rollups import Days
from logs.services.attribution import Attribution
from logs.services.auditing import Audit, Verdict
from logs.services.draining import Drain
from logs.services.erasing import Erasing
from logs.services.exporting import Export, NoParquet
from logs.services.facts import Facts
from logs.services.importing import Import, ImportProgress
from logs.services.intake import Intake, IntakeAnswer, Visitor
from logs.services.keeping import Keeper
from logs.services.reading import EventFilter, History, Reading
from logs.services.recording import Recorder
from logs.services.stats import Stats

__all__ = [
    "Attribution",
    "Audit",
    "Days",
    "Drain",
    "Erasing",
    "EventFilter",
    "Export",
    "Facts",
    "History",
    "Import",
    "ImportProgress",
    "Intake",
    "IntakeAnswer",
    "Keeper",
    "NoParquet",
    "Reading",
    "Recorder",
    "Stats",
    "Verdict",
    "Visitor",
]
