"""One service's client: pool, deadline, retry of what is safe, circuit breaker, request id, service token."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Protocol
from urllib.parse import urlencode

import pybreaker
import urllib3
from django.conf import settings

from chassis.clients.errors import Refused, ServiceUnavailable, Throttled
from chassis.container import Container
from chassis.identity import keys, tokens
from chassis.observability import context

_log = logging.getLogger("chassis.clients")

FAILURES = 5  # in a row until the breaker opens
PAUSE = 3.0  # seconds until it lets a trial through
_TOKEN_REUSE = tokens.SERVICE_SECONDS / 2  # seconds

# A second try for what may be sent twice; for the rest only if the connection was never made.
_SAFE = urllib3.Retry(
    total=2,
    connect=2,
    read=1,
    status=1,
    other=0,
    redirect=0,
    allowed_methods=None,
    status_forcelist=[502, 503, 504],
    backoff_factor=0.05,
    raise_on_status=False,
    respect_retry_after_header=False,
)
_ONCE = urllib3.Retry(
    total=1,
    connect=1,
    read=0,
    status=0,
    other=0,
    redirect=0,
    allowed_methods=None,
    raise_on_status=False,
    # Else a 429 or 503 that says when to come back is a retry that failed: no answer at all.
    respect_retry_after_header=False,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx (or 304): status, parsed JSON (None for an empty body), headers (names in lower case)."""

    status: int
    json: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Transport(Protocol):
    """What carries a request; tests put a function with canned answers in its place."""

    def __call__(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None,
        headers: Mapping[str, str],
        timeout: float,
        retry: bool,
    ) -> tuple[int, Mapping[str, str], bytes]: ...


class Pool:
    """The real one: keeps connections to the gateway; raises urllib3's HTTPError."""

    def __init__(self) -> None:
        self._pool = urllib3.PoolManager(num_pools=2, maxsize=16)

    def __call__(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None,
        headers: Mapping[str, str],
        timeout: float,
        retry: bool,
    ) -> tuple[int, Mapping[str, str], bytes]:
        answer = self._pool.request(
            method,
            url,
            body=body,
            headers=headers,
            timeout=urllib3.Timeout(connect=min(timeout, 0.5), read=timeout),
            retries=_SAFE if retry else _ONCE,
            redirect=False,
        )
        return answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.data


transport: Container[Transport] = Container(Pool)


class ServiceClient:
    """The client of the service `name`: one per process, made in container.py; safe in threads."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._breaker = pybreaker.CircuitBreaker(
            fail_max=FAILURES,
            reset_timeout=PAUSE,
            exclude=[_answered],
            throw_new_error_on_trip=False,
            name=name,
        )
        self._lock = threading.Lock()
        self._token: tuple[str, float] = ("", 0.0)

    def get(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        user_token: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 2.0,
    ) -> Answer:
        query = "?" + urlencode({k: v for k, v in params.items() if v is not None}) if params else ""
        return self._call("GET", path + query, None, _headers(headers, user_token), timeout, retry=True)

    def post(
        self,
        path: str,
        json: Any = None,
        *,
        idempotency_key: str | None = None,
        safe: bool = False,
        user_token: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 2.0,
    ) -> Answer:
        """Sent again after a lost answer only with an `idempotency_key` or where the caller says `safe`."""
        sent = _headers(headers, user_token)
        if idempotency_key is not None:
            sent["Idempotency-Key"] = idempotency_key
        return self._call("POST", path, json, sent, timeout, retry=safe or idempotency_key is not None)

    def put(
        self,
        path: str,
        json: Any = None,
        *,
        user_token: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 2.0,
    ) -> Answer:
        return self._call("PUT", path, json, _headers(headers, user_token), timeout, retry=True)

    def patch(
        self,
        path: str,
        json: Any = None,
        *,
        user_token: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 2.0,
    ) -> Answer:
        return self._call("PATCH", path, json, _headers(headers, user_token), timeout, retry=False)

    def delete(
        self,
        path: str,
        *,
        user_token: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 2.0,
    ) -> Answer:
        return self._call("DELETE", path, None, _headers(headers, user_token), timeout, retry=False)

    def _call(
        self, method: str, path: str, value: Any, headers: dict[str, str], timeout: float, *, retry: bool
    ) -> Answer:
        body = None
        if value is not None:
            body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
            headers["Content-Type"] = "application/json"
        if path.startswith("/internal"):
            headers["X-Service-Token"] = self._service_token()
        url = f"{settings.GATEWAY_URL}/api/{self.name}{path}"
        try:
            with self._breaker.calling():
                return self._send(method, url, body, headers, timeout, retry)
        except pybreaker.CircuitBreakerError as error:
            raise ServiceUnavailable(self.name, "did not answer a moment ago") from error

    def _send(
        self, method: str, url: str, body: bytes | None, headers: dict[str, str], timeout: float, retry: bool
    ) -> Answer:
        try:
            status, got, data = transport.get()(
                method, url, body=body, headers=headers, timeout=timeout, retry=retry
            )
        except urllib3.exceptions.HTTPError as error:
            raise ServiceUnavailable(self.name, type(error).__name__) from error
        if status == 429:
            raise Throttled(self.name, retry_after(got))
        if status >= 500:
            raise ServiceUnavailable(self.name, f"answered {status}", status, retry_after(got))
        value = self._parse(status, data)
        if status >= 400:
            raise Refused(self.name, status, value if isinstance(value, dict) else {}, got)
        return Answer(status, value, got)

    def _parse(self, status: int, data: bytes) -> Any:
        if not data:
            return None
        try:
            return json.loads(data)
        except ValueError as error:
            if status >= 400:
                return None  # a refusal is one, whatever it is written in
            raise ServiceUnavailable(self.name, "answered something that is not JSON", status) from error

    def _service_token(self) -> str:
        """One signature serves for half of a token's life."""
        token, until = self._token
        now = time.monotonic()
        if now < until:
            return token
        with self._lock:
            token = tokens.service_token(settings.SERVICE, self.name, key=keys.service_keys.get().private())
            self._token = (token, now + _TOKEN_REUSE)
        return token


def _answered(error: BaseException) -> bool:
    """Return True unless the error says that the service itself is gone: only that opens the breaker.

    A refusal, a limit, a polite 503 or a mistake of ours would cut off every other caller of the process.
    """
    return not (isinstance(error, ServiceUnavailable) and error.gone)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a Retry-After header (RFC 9110, 10.2.3) asks to wait, None without one."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, moment.timestamp() - time.time())


def _headers(given: Mapping[str, str] | None, user_token: str | None) -> dict[str, str]:
    headers = {"Accept": "application/json", **(given or {})}
    if user_token:
        headers["Authorization"] = f"Bearer {user_token}"
    request_id = context.request_id()
    if request_id:
        headers.setdefault("X-Request-ID", request_id)
    return headers
