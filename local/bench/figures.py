"""Figures of logs_svc: how quickly it answered, what it stored, how quickly it serves statistics."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import urllib3

_RANGES = (1, 7, 30, 366)
_STATS_PATHS = ("timeseries", "funnel", "top-products", "searches", "widgets")


def buckets(url: str) -> dict[float, int]:
    """Return how many batches the service answered within so many seconds, by its own metrics."""
    text = urllib3.PoolManager().request("GET", f"{url}/metrics").data.decode()
    found = {}
    for line in text.splitlines():
        if (
            line.startswith("http_request_seconds_bucket{")
            and "logs/events" in line
            and 'method="POST"' in line
        ):
            found[float(line.split('le="')[1].split('"')[0])] = int(float(line.rsplit(" ", 1)[1]))
    return found


def share_within(before: dict[float, int], after: dict[float, int], seconds: float) -> float:
    """Return the percentage of batches in between that were answered within these seconds."""
    total = after[float("inf")] - before.get(float("inf"), 0)
    return 100 * (after[seconds] - before.get(seconds, 0)) / max(total, 1)


def stored(url: str, headers: dict[str, str]) -> int:
    """How many events the figures know of."""
    answer = urllib3.PoolManager().request("GET", f"{url}/api/logs/stats/timeseries", headers=headers)
    return sum(day["total"] for day in answer.json()["results"])


def until_stored(url: str, headers: dict[str, str], wanted: int, seconds: float = 180.0) -> int:
    """Return the number stored, as soon as it is what was accepted, or when patience ends."""
    end = time.monotonic() + seconds
    while (found := stored(url, headers)) < wanted and time.monotonic() < end:
        time.sleep(0.5)
    return found


def latencies(url: str, headers: dict[str, str], times: int = 5) -> Iterator[tuple[int, float]]:
    """(days, the slowest answer of any figure over that range, in milliseconds)."""
    pool = urllib3.PoolManager()
    today = datetime.now(UTC).date()
    for days in _RANGES:
        worst = 0.0
        for path in _STATS_PATHS:
            address = f"{url}/api/logs/stats/{path}?from={today - timedelta(days=days - 1)}&to={today}"
            for _ in range(times):
                began = time.perf_counter()
                answer = pool.request("GET", address, headers=headers)
                worst = max(worst, 1000 * (time.perf_counter() - began))
                if answer.status != 200:
                    raise RuntimeError(f"{address} answered {answer.status}: {answer.data[:200]!r}")
        yield days, worst


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]
