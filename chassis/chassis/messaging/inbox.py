"""A subscriber's side: hands each event to its handler, in order, and says what became of it.

A handler returns `done`, `duplicate` (it had this one) or `ignored` (an older one than it knows), must bear
repetition, and raises `Rejected` for what it can never take.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chassis.clients.errors import ServiceUnavailable
from chassis.couch import CouchError, NotFound

from .envelope import Envelope, Rejected

log = logging.getLogger(__name__)

Handler = Callable[[Envelope], str | None]
_OUTCOMES = frozenset({"done", "duplicate", "ignored"})


class RetryLater(Exception):
    """Something that a handler needs is away; the relay will bring the whole batch again."""


def receive(events: Sequence[Any], handlers: Mapping[str, Handler], *, caller: str) -> list[dict[str, Any]]:
    """One result per event, up to and with the first that is rejected: later ones must not overtake it.

    `caller` is the service that proved itself: nobody tells another's events. Raises `RetryLater`.
    """
    results = []
    for event in events:
        result = _one(event, handlers, caller)
        results.append(result)
        if result["status"] == "rejected":
            break
    return results


def _one(event: Any, handlers: Mapping[str, Handler], caller: str) -> dict[str, Any]:
    id = event.get("id") if isinstance(event, Mapping) else None
    try:
        envelope = Envelope.parse(event)
        if envelope.source != caller:
            raise Rejected(f"{caller} cannot speak for {envelope.source}")  # noqa: TRY301 - one shape for all
        handler = handlers.get(envelope.type)
        return {"id": id, "status": _handled(handler, envelope) if handler else "ignored"}
    except Rejected as rejection:
        return {"id": id, "status": "rejected", "reason": rejection.reason}


def _handled(handler: Handler, envelope: Envelope) -> str:
    try:
        outcome = handler(envelope) or "done"
    except (Rejected, RetryLater):
        raise
    except (CouchError, ServiceUnavailable, OSError) as error:
        if isinstance(error, NotFound):
            raise Rejected(f"not found: {error}") from error
        raise RetryLater(str(error)) from error
    except Exception as error:
        log.exception("the handler of %s failed on %s", envelope.type, envelope.id)
        raise Rejected(f"the handler failed: {type(error).__name__}") from error
    return outcome if outcome in _OUTCOMES else "done"
