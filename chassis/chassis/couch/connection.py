"""One server per process through pycouchdb, made safe: answers checked, deadlines, a pool, our own errors.

pycouchdb 1.17 raises nothing when an error answer is not JSON, and has neither timeouts nor retries.
"""

from __future__ import annotations

import json
import logging
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import pycouchdb
import requests
from django.conf import settings
from pycouchdb.client import Database
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from .exceptions import Conflict, CouchError, NotFound, Unavailable

log = logging.getLogger(__name__)

CONNECT_TIMEOUT = 3.05  # a little over TCP's first retransmission

_lock = threading.Lock()
_servers: dict[tuple[int, str], pycouchdb.Server] = {}
_acting_as = ""


class AmbiguousWrite(requests.RequestException):
    """The server, or something before it, failed to answer: a write may or may not have happened."""


def server() -> pycouchdb.Server:
    """Return the server of this process, signed in as the service, or as administrator in `as_admin`."""
    return server_at(_acting_as or settings.COUCHDB_URL)


def server_at(url: str) -> pycouchdb.Server:
    """Return the server at that URL.

    Connections must not be shared over a fork, hence the process id in the key.
    """
    key = (os.getpid(), url)
    found = _servers.get(key)
    if found is None:
        with _lock:
            found = _servers.get(key) or _servers.setdefault(key, _connect(url))
    return found


@contextmanager
def as_admin(url: str = "") -> Iterator[None]:
    """Send every request of this process to that URL, else to `COUCHDB_ADMIN_URL`, else as ever.

    It is for commands, which are alone in their process.
    """
    global _acting_as  # noqa: PLW0603 - what a command does, it does from its start to its end
    before, _acting_as = _acting_as, url or settings.COUCHDB_ADMIN_URL
    try:
        yield
    finally:
        _acting_as = before


def disconnect() -> None:
    """Close this process's connections; the next request opens new ones. For tests that end their server."""
    with _lock:
        for made in _servers.values():
            made.resource.session.close()
        _servers.clear()


def _connect(url: str) -> pycouchdb.Server:
    made = pycouchdb.Server(
        url, authmethod="basic", verify=True, timeout=(CONNECT_TIMEOUT, settings.COUCHDB_TIMEOUT)
    )
    session = made.resource.session
    session.trust_env = False  # no look at ~/.netrc and proxies for every request: halves the overhead
    session.hooks["response"].append(_check)
    retries = Retry(
        total=2, connect=2, read=2, status=2, redirect=0, backoff_factor=0.05,
        allowed_methods={"GET", "HEAD"},
        status_forcelist={502, 503, 504}, raise_on_status=False, respect_retry_after_header=False,
    )  # fmt: skip
    adapter = HTTPAdapter(pool_maxsize=settings.COUCHDB_POOL, max_retries=retries)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return made


def _check(response: requests.Response, *_args: Any, **_kwargs: Any) -> None:
    """pycouchdb takes an error page that is not JSON for an empty success; this refuses it."""
    status = response.status_code
    json_answer = "application/json" in response.headers.get("content-type", "")
    if status >= 500 or status == 429 or (status >= 400 and not json_answer):
        body = response.content[:200]  # reads it, so that the connection goes back to the pool
        raise AmbiguousWrite(f"{status} {body!r}", response=response)


class Requests:
    """Requests to one database."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.full_name = f"{settings.COUCHDB_PREFIX}{name}"
        self._database: tuple[pycouchdb.Server | None, Any] = (None, None)

    @property
    def database(self) -> Any:
        """`server.database()` would cost a HEAD; this does not. Made anew after a fork."""
        current = server()
        if self._database[0] is not current:
            self._database = (current, Database(current.resource(self.full_name), self.full_name))
        return self._database[1]

    def read(self, method: str, path: Any, params: Any = None, data: Any = None, timeout: Any = None) -> Any:
        """Send a request that changes nothing, so that it may be sent twice.

        That holds for POST too, which the adapter does not retry.
        """
        try:
            return self.checked(method, path, params=params, data=data, timeout=timeout)[1]
        except Unavailable:
            if method != "POST":
                raise
        return self.checked(method, path, params=params, data=data, timeout=timeout)[1]

    def checked(self, method: str, path: Any, **kwargs: Any) -> Any:
        try:
            return self.request(method, path, **kwargs)
        except requests.RequestException as error:
            raise Unavailable(f"{self.name}: {without_password(error)}") from error

    def request(
        self, method: str, path: Any, *, params: Any = None, data: Any = None, raw: bytes | None = None,
        headers: dict[str, str] | None = None, timeout: Any = None,
    ) -> tuple[Any, Any]:  # fmt: skip
        body = raw if data is None else json.dumps(data, separators=(",", ":")).encode()
        options = {} if timeout is None else {"timeout": timeout}
        path = [path] if isinstance(path, str) else list(path)
        try:
            return cast(
                "tuple[Any, Any]",
                self.database.resource.request(
                    method, path, params=params, data=body, headers=headers, **options
                ),
            )
        except json.JSONDecodeError as error:  # a server that goes down ends its answer in the middle
            raise AmbiguousWrite(f"{method} {'/'.join(path)}: the answer is no JSON: {error}") from error
        except pycouchdb.exceptions.Conflict as error:
            raise Conflict(f"{'/'.join(path)}: {error}") from None
        except pycouchdb.exceptions.NotFound as error:
            raise self.not_found(method, path, error) from None
        except (pycouchdb.exceptions.GenericError, pycouchdb.exceptions.BadRequest) as error:
            raise CouchError(f"{method} {self.full_name}/{'/'.join(path)}: {error}") from None

    def not_found(self, method: str, path: list[str], error: Exception) -> CouchError:
        """Return True for a missing document; a missing database is no answer about it."""
        if "atabase" in str(error) or (method == "PUT" and len(path) == 1):
            return Unavailable(f"database {self.full_name} is missing: run `manage.py prepare`")
        return NotFound("/".join(path))


def without_password(error: Exception) -> str:
    return re.sub(r"//[^@/]*@", "//", str(error))
