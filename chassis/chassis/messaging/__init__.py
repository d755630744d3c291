"""Facts between services: an outbox in each document, a relay, an inbox, and dead letters."""

from .dead_letters import DeadLetter, DeadLetters, dead_letters
from .delivery import SubscriberAway
from .envelope import Envelope, Rejected, record
from .relay import Relay

__all__ = [
    "DeadLetter",
    "DeadLetters",
    "Envelope",
    "Rejected",
    "Relay",
    "SubscriberAway",
    "dead_letters",
    "record",
]
