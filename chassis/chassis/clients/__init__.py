"""Calls to the other services, through the gateway's inner listener.

    catalog = ServiceClient("catalog")
    answer = catalog.get("/internal/skus", {"sku": "a,b"})        # Answer(status, json, headers)
    catalog.post("/internal/reservations", body, safe=True)        # safe: may be sent twice, so it is retried

Raises `ServiceUnavailable` when there is no answer to work with (refused, timeout, 5xx, breaker open), its
kind `Throttled` for a 429, and `Refused` when the service says no (any other 4xx); the caller decides on the
fallback. Only what says that the service is gone (refused, reset, timeout, 502, 504) opens the breaker.
"""

from typing import TYPE_CHECKING

from chassis.clients.errors import Refused, ServiceUnavailable, Throttled

if TYPE_CHECKING:
    from chassis.clients.client import Answer, ServiceClient

__all__ = ["Answer", "Refused", "ServiceClient", "ServiceUnavailable", "Throttled"]


def __getattr__(name: str) -> object:
    """Import the client at its first use: a service that calls nobody needs no urllib3."""
    if name in ("Answer", "ServiceClient"):
        from chassis.clients import client

        return getattr(client, name)
    raise AttributeError(name)
