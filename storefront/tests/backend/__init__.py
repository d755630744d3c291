"""A small real HTTP server that answers like the six services behind the gateway's inner listener (api.md).

Tests start one on a free port and steer it: `down` (services that cannot be reached), `broken`
(service -> status), `limited` (service -> seconds of a 429's Retry-After), `nonsense` (services whose answers
are of no known shape), `revoked` (access tokens), `answers` (canned answers for one call).
`python -m tests.backend 8901`, in storefront/, runs it alone, for looking at the pages without the services.
"""

from tests.backend.http import running, serve
from tests.backend.services import TOKEN, Backend, euros

__all__ = ["TOKEN", "Backend", "euros", "running", "serve"]
