"""Limits by key, shared by all replicas through Redis, and by this process alone while Redis is away.

The measure is the generic cell rate algorithm: one number per key (when the bucket is empty again), changed
in one atomic step. `rate` per `per` seconds go through in the long run, `burst` at once.

    LOGIN = Limit("login", rate=30, per=60, burst=30)
    LOGIN.check(client_address(request))                 # TooManyRequests (429) with Retry-After
    throttle_classes = [by_address(LOGIN)]               # the same, on a view
"""

from __future__ import annotations

import hashlib
import ipaddress
import logging
import threading
import time
from dataclasses import dataclass
from typing import Any, Protocol

import redis
from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from chassis.api.errors import TooManyRequests
from chassis.container import Container

_log = logging.getLogger("chassis.throttling")

_PAUSE = 5.0  # seconds without asking a Redis that did not answer
_MOST_KEYS = 50_000  # kept in the process before the oldest are dropped

# KEYS[1] the key, ARGV: now, seconds per request, burst. Answers the wait in microseconds, 0 for "go".
_SCRIPT = """
local now, step, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local empty = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local wait = empty + step - now - step * burst
if wait > 0.000001 then return math.ceil(wait * 1000000) end
empty = empty + step
redis.call('SET', KEYS[1], string.format('%.6f', empty), 'PX', math.ceil((empty - now) * 1000) + 1000)
return 0
"""


class Buckets(Protocol):
    """Where the buckets are kept."""

    def take(self, key: str, step: float, burst: int) -> float:
        """Seconds to wait, 0 when this request may go."""
        ...


class ProcessBuckets:
    """In this process: for tests, and while Redis is away."""

    def __init__(self, clock: Any = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._empty: dict[str, float] = {}

    def take(self, key: str, step: float, burst: int) -> float:
        now = self._clock()
        with self._lock:
            empty = max(self._empty.pop(key, now), now)
            wait: float = empty + step - now - step * burst
            if wait > 1e-6:
                self._empty[key] = empty
                return wait
            self._empty[key] = empty + step
            if len(self._empty) > _MOST_KEYS:
                self._empty.pop(next(iter(self._empty)))
        return 0.0


class RedisBuckets:
    """In Redis; for five seconds in the process after Redis failed to answer within 200 ms."""

    def __init__(self, url: str, prefix: str, fallback: Buckets | None = None) -> None:
        self._redis = redis.Redis.from_url(url, socket_timeout=0.2, socket_connect_timeout=0.2)
        self._script = self._redis.register_script(_SCRIPT)
        self._prefix = prefix
        self._fallback = fallback or ProcessBuckets()
        self._resume = 0.0

    def take(self, key: str, step: float, burst: int) -> float:
        if time.monotonic() < self._resume:
            return self._fallback.take(key, step, burst)
        try:
            wait: Any = self._script(keys=[f"{self._prefix}:{key}"], args=[repr(time.time()), step, burst])
        except redis.RedisError as error:
            self._resume = time.monotonic() + _PAUSE
            _log.warning("throttles are kept in the process for now: %s", error)
            return self._fallback.take(key, step, burst)
        return int(wait) / 1e6


def _build() -> Buckets:
    if not settings.REDIS_URL or settings.REDIS_URL == "memory:":
        return ProcessBuckets()
    return RedisBuckets(settings.REDIS_URL, f"limit:{settings.SERVICE}")


buckets: Container[Buckets] = Container(_build)


@dataclass(frozen=True)
class Limit:
    """`rate` requests per `per` seconds in the long run, `burst` at once; `rate` 0 switches it off."""

    name: str
    rate: float
    per: float = 60.0
    burst: int = 1

    def wait(self, key: str) -> float:
        """Take one; return the seconds to wait if none is left, else 0.

        The key is hashed: it may be an e-mail.
        """
        if self.rate <= 0:
            return 0.0
        digest = hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=16).hexdigest()
        return buckets.get().take(f"{self.name}:{digest}", self.per / self.rate, max(1, self.burst))

    def check(self, key: str) -> None:
        """TooManyRequests (429) when there is none left."""
        wait = self.wait(key)
        if wait > 0:
            raise TooManyRequests(wait)


def client_address(request: Request | HttpRequest) -> str:
    """Return the shopper's address: what the gateway put first into X-Forwarded-For, else who connects.

    The gateway's outer listener replaces that header, so nobody outside chooses it. Of IPv6 the /64 counts,
    for that is what one household has.
    """
    forwarded = str(request.META.get("HTTP_X_FORWARDED_FOR", "")).partition(",")[0].strip()
    for candidate in (forwarded, str(request.META.get("REMOTE_ADDR", ""))):
        try:
            address = ipaddress.ip_address(candidate)
        except ValueError:
            continue
        if address.version == 6:
            mapped = address.ipv4_mapped
            return str(mapped or ipaddress.ip_network((int(address) >> 64 << 64, 64)))
        return str(address)
    return "unknown"


def by_address(limit: Limit) -> type[BaseThrottle]:
    """Return a DRF throttle class over `limit`, by the shopper's address."""

    class ByAddress(BaseThrottle):
        def allow_request(self, request: Request, view: Any) -> bool:
            self.seconds = limit.wait(client_address(request))
            return self.seconds <= 0

        def wait(self) -> float:
            return self.seconds

    ByAddress.__name__ = ByAddress.__qualname__ = f"by_address({limit.name})"
    return ByAddress
