"""Fake HTTP server that responds like the six services behind the gateway's inner listener.

Tests start one on a free port and control it: `down` (unavailable services), `broken` (service -> status),
`limited` (service -> seconds of a 429's Retry-After), `nonsense` (services that respond in an unknown
shape), `revoked` (access tokens), `answers` (canned responses to one call). In storefront/, `python -m
tests.backend 8901` runs it alone, for looking at the pages without the services.
"""

from tests.backend.http import running, serve
from tests.backend.services import TOKEN, Backend, euros

__all__ = ["TOKEN", "Backend", "euros", "running", "serve"]
