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
from logs.domain.months import LEGACY, Months, month_of, next_month
from logs.domain.rollup import Rollup
from logs.domain.sketch import Sketch
from logs.domain.ties import Tie

__all__ = [
    "FUNNEL",
    "LEGACY",
    "MOST_DATA",
    "OLDEST",
    "PURCHASE",
    "REPORTED",
    "TYPES",
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
    "known_bot",
    "moment",
    "month_of",
    "next_month",
    "search_query",
    "told_event",
]
