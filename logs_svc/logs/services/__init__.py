"""The use cases of logs_svc."""

from logs.services.facts import Facts
from logs.services.importing import Import, ImportProgress
from logs.services.intake import Intake, IntakeAnswer
from logs.services.keeping import Keeper
from logs.services.reading import EventFilter, Reading
from logs.services.stats import Days, Stats

__all__ = [
    "Days",
    "EventFilter",
    "Facts",
    "Import",
    "ImportProgress",
    "Intake",
    "IntakeAnswer",
    "Keeper",
    "Reading",
    "Stats",
]
