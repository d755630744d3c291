"""What logs_svc knows: what people did in the shop, what it adds up to, and what staff changed."""

from logs.domain.audit import AuditEntry, Head, Link
from logs.domain.bots import Bots, known_bot
from logs.domain.events import (
    FUNNEL,
    MOST_DATA,
    OLDEST,
    PURCHASE,
    REPORTED,
    TYPES,
    Event,
    NotAnEvent,
    Told,
    moment,
    search_query,
    told_event,
)
from logs.domain.months import AHEAD, LEAST, LEGACY, YEAR, Months, following, month_of
from logs.domain.rollup import Rollup
from logs.domain.sketch import Sketch
from logs.domain.ties import Tie

__all__ = [
    "AHEAD",
    "FUNNEL",
    "LEAST",
    "LEGACY",
    "MOST_DATA",
    "OLDEST",
    "PURCHASE",
    "REPORTED",
    "TYPES",
    "YEAR",
    "AuditEntry",
    "Bots",
    "Event",
    "Head",
    "Link",
    "Months",
    "NotAnEvent",
    "Rollup",
    "Sketch",
    "Tie",
    "Told",
    "following",
    "known_bot",
    "moment",
    "month_of",
    "search_query",
    "told_event",
]
