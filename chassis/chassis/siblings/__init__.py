"""Calls to the other services, through the gateway's inner listener.

    catalog = Sibling("catalog")
    answer = catalog.get("/internal/skus", {"sku": "a,b"})        # Answer(status, json, headers)
    catalog.post("/internal/reservations", body, safe=True)        # safe: may be sent twice, so it is retried

Raises `SiblingDown` when there is no answer to work with (refused, timeout, 5xx, 429, breaker open) and
`Refused` when the sibling says no (4xx); the caller decides on the fallback.
"""

from typing import TYPE_CHECKING

from chassis.siblings.errors import Refused, SiblingDown

if TYPE_CHECKING:
    from chassis.siblings.client import Answer, Sibling

__all__ = ["Answer", "Refused", "Sibling", "SiblingDown"]


def __getattr__(name: str) -> object:
    """The client is imported at its first use: a service that calls nobody needs no urllib3."""
    if name in ("Answer", "Sibling"):
        from chassis.siblings import client

        return getattr(client, name)
    raise AttributeError(name)
