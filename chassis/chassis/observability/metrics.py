"""Request figures for Prometheus, by route template and never by raw path (which would be unbounded)."""

from __future__ import annotations

import os

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram
from prometheus_client import generate_latest as _generate

REQUESTS = Counter("http_requests_total", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram(
    "http_request_seconds",
    "Time to answer, in seconds",
    ["method", "route"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def observe(method: str, route: str, status: int, seconds: float) -> None:
    """Count one answered request."""
    method = method if method in _METHODS else "other"
    REQUESTS.labels(method, route, str(status)).inc()
    SECONDS.labels(method, route).observe(seconds)


def exposition() -> tuple[bytes, str]:
    """Return the metrics of this process, or of all workers with PROMETHEUS_MULTIPROC_DIR, and their type."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return _generate(REGISTRY), CONTENT_TYPE_LATEST
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return _generate(registry), CONTENT_TYPE_LATEST
