"""The domain of logs_svc: behaviour events, their rollups, and the audit trail of staff writes."""

from logs.domain.audit import AuditEntry, Head, Link
from logs.domain.bots import BotDetector, is_known_bot
from logs.domain.events import (
    FUNNEL,
    MAX_DATA_BYTES,
    MAX_EVENT_AGE,
    PURCHASE,
    REPORTED,
    TYPES,
    Event,
    IncomingEvent,
    InvalidEvent,
    parse_event,
    parse_time,
    search_query,
)
from logs.domain.hyperloglog import HyperLogLog
from logs.domain.months import (
    LEGACY,
    MAX_MONTHS_AHEAD,
    MIN_MONTHS_AHEAD,
    MONTHS_AHEAD,
    Months,
    month_of,
    months_from,
)
from logs.domain.rollup import Rollup
from logs.domain.session_identity import SessionIdentity

__all__ = [
    "FUNNEL",
    "LEGACY",
    "MAX_DATA_BYTES",
    "MAX_EVENT_AGE",
    "MAX_MONTHS_AHEAD",
    "MIN_MONTHS_AHEAD",
    "MONTHS_AHEAD",
    "PURCHASE",
    "REPORTED",
    "TYPES",
    "AuditEntry",
    "BotDetector",
    "Event",
    "Head",
    "HyperLogLog",
    "IncomingEvent",
    "InvalidEvent",
    "Link",
    "Months",
    "Rollup",
    "SessionIdentity",
    "is_known_bot",
    "month_of",
    "months_from",
    "parse_event",
    "parse_time",
    "search_query",
]
