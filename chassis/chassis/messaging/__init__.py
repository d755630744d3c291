"""Events between services: an outbox in each document, a relay, an inbox, and dead letters."""

from .dead_letters import DeadLetter, DeadLetters, dead_letters
from .delivery import SubscriberUnavailable
from .envelope import Envelope, Rejected, append_event
from .relay import Relay

__all__ = [
    "DeadLetter",
    "DeadLetters",
    "Envelope",
    "Rejected",
    "Relay",
    "SubscriberUnavailable",
    "append_event",
    "dead_letters",
]
