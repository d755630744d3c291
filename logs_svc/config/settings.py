"""Settings of logs_svc, on top of those of the chassis."""

from pathlib import Path

from chassis.env import env
from chassis.settings import base

globals().update(base(service="logs", app="logs", root=Path(__file__).resolve().parent.parent))

EVENTS_KEPT_DAYS = env(
    "EVENTS_KEPT_DAYS",
    int,
    400,
    "days after which behaviour events are deleted; the audit trail is kept for ever",
)
EVENTS_JOURNAL_MB = env(
    "EVENTS_JOURNAL_MB",
    int,
    64,
    "megabytes of accepted events that may wait on disk for CouchDB; then 503",
)
EVENTS_JOURNAL_DIR = env(
    "EVENTS_JOURNAL_DIR",
    str,
    "",
    "where accepted events wait for CouchDB: a disk that outlives the container; empty: `DATA_DIR/journal`",
)
