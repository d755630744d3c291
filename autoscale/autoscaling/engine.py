"""Docker's API with the standard library: over its socket, or over TCP to the filtering proxy.

Every answer has a deadline and a size, and is looked at before it is believed: a daemon that hangs or answers
garbage is `EngineDown`, whatever the way in which it does so.
https://docs.docker.com/reference/api/engine/
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import time
from collections.abc import Iterator, Mapping
from typing import Any, Protocol
from urllib.parse import quote, urlencode, urlsplit

SOCKET = "unix:///var/run/docker.sock"
LONGEST = 64 << 20  # bytes of an answer
VERSION = "v1.41"  # Engine 20.10; every later one answers it


class EngineDown(Exception):
    """Nothing that could be understood came back in time."""


class Refused(Exception):
    """The API said no: 404 for what is gone, "out of sequence" for a version that is not the last."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status} {message}")
        self.status, self.message = status, message

    @property
    def out_of_sequence(self) -> bool:
        """Whether somebody else wrote between our read and our write."""
        return "out of sequence" in self.message


class Engine(Protocol):
    """What everybody here needs of a Docker API."""

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """Return the parsed answer. Raises EngineDown and Refused."""
        ...

    def post(self, path: str, body: Any, query: Mapping[str, Any] | None = None) -> Any:
        """As get, of a write."""
        ...


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("docker", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """To the socket's path instead of a host."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def connection(address: str, timeout: float) -> http.client.HTTPConnection:
    """To `unix:///path` or `http://host:port` (or `tcp://`)."""
    url = urlsplit(address)
    if url.scheme == "unix":
        return _UnixConnection(url.path, timeout)
    return http.client.HTTPConnection(url.hostname or "localhost", url.port or 2375, timeout=timeout)


def target(path: str, query: Mapping[str, Any] | None = None) -> str:
    """Path and query; a filter's dict goes as JSON, as the API wants it."""
    if not query:
        return f"/{VERSION}{path}"
    flat = {
        key: json.dumps(value, separators=(",", ":")) if isinstance(value, dict) else value
        for key, value in query.items()
    }
    return f"/{VERSION}{path}?{urlencode(flat)}"


class HttpEngine:
    """One request per connection: one that was kept to a proxy that moved would have to be doubted."""

    def __init__(self, address: str = SOCKET, timeout: float = 3.0) -> None:
        self.address, self.timeout = address, timeout

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        return self._call("GET", target(path, query), None)

    def post(self, path: str, body: Any, query: Mapping[str, Any] | None = None) -> Any:
        return self._call("POST", target(path, query), json.dumps(body).encode())

    def _call(self, method: str, path: str, body: bytes | None) -> Any:
        made = connection(self.address, self.timeout)
        try:
            headers = {"Content-Type": "application/json"} if body is not None else {}
            made.request(method, path, body=body, headers=headers)
            with contextlib.closing(made.getresponse()) as answer:
                data = self._whole(answer, time.monotonic() + self.timeout)
        except (OSError, http.client.HTTPException) as error:
            raise EngineDown(f"{type(error).__name__}: {error}") from error
        finally:
            made.close()
        return _understood(answer.status, data)

    def _whole(self, answer: http.client.HTTPResponse, end: float) -> bytes:
        """All of it, or EngineDown: an answer in drops would never reach a socket's timeout."""
        data = bytearray()
        while piece := answer.read1(1 << 16):
            data += piece
            if time.monotonic() > end:
                raise EngineDown("the answer does not end")
            if len(data) > LONGEST:
                raise EngineDown("the answer is too long")
        if answer.length:
            raise EngineDown("the answer is cut off")
        return bytes(data)

    def lines(self, path: str, query: Mapping[str, Any] | None, timeout: float) -> Iterator[Any]:
        """Yield an endless answer of JSON lines; EngineDown after `timeout` seconds of silence."""
        made = connection(self.address, timeout)
        try:
            made.request("GET", target(path, query))
            with contextlib.closing(made.getresponse()) as answer:
                if answer.status != 200:
                    _understood(answer.status, answer.read(4096))
                for line in answer:
                    yield _json(line)
        except (OSError, http.client.HTTPException) as error:
            raise EngineDown(f"{type(error).__name__}: {error}") from error
        finally:
            made.close()


def _understood(status: int, data: bytes) -> Any:
    if status >= 400:
        raise Refused(status, _message(data))
    return _json(data) if data.strip() else None


def _message(data: bytes) -> str:
    try:
        said = json.loads(data)
    except ValueError:
        return data[:200].decode("utf-8", "replace")
    return str(said.get("message", said) if isinstance(said, dict) else said)[:500]


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError as error:
        raise EngineDown("the answer is not JSON") from error


def name_in_path(name: str) -> str:
    """Return an id or name as one part of a path, whatever it holds."""
    return quote(name, safe="")
