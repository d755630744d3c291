"""Handing events to a subscriber: over HTTP, through the gateway's inner listener."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from chassis.clients.client import ServiceClient
from chassis.clients.errors import Refused, ServiceUnavailable

Event = dict[str, Any]
#: (subscriber, events) -> one result per event that was tried, in order: `{"id", "status", "reason"?}`.
Deliver = Callable[[str, Sequence[Event]], list[dict[str, Any]]]

_TIMEOUT = 15.0
#: Refusals of what was sent; any other 4xx is about the route or the moment, and passes.
_ABOUT_THE_BODY = frozenset({400, 413, 415, 422})


class SubscriberUnavailable(Exception):
    """The subscriber does not take events now; they wait, in order, as long as it takes."""


def deliver_over_http(subscriber: str, events: Sequence[Event]) -> list[dict[str, Any]]:
    """POST a batch to the subscriber's inbox. Raises `SubscriberUnavailable`."""
    try:
        answer = _sibling(subscriber).post("/internal/events", list(events), safe=True, timeout=_TIMEOUT)
    except ServiceUnavailable as error:
        raise SubscriberUnavailable(str(error)) from error
    except Refused as error:
        return _refused(subscriber, events, error)
    results = answer.json.get("results") if isinstance(answer.json, dict) else None
    if not isinstance(results, list) or not results:
        raise SubscriberUnavailable(f"{subscriber} answered without results")
    return results


def _refused(subscriber: str, events: Sequence[Event], error: Refused) -> list[dict[str, Any]]:
    if error.status not in _ABOUT_THE_BODY:
        raise SubscriberUnavailable(str(error)) from error
    if len(events) > 1:  # one of them spoils the batch
        return deliver_over_http(subscriber, events[:1])
    return [{"id": events[0]["id"], "status": "rejected", "reason": str(error)}]


@cache
def _sibling(name: str) -> ServiceClient:
    return ServiceClient(name)
