"""Small upstreams that answer with the request, or with a prepared answer."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Answer:
    """What a stub says: by default the request, as JSON."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    delay: float = 0.0
    breaks: bool = False
    """closes the connection instead of answering"""


class Stub:
    """An upstream. `answers` maps a path to what is said there; every request is kept in `asked`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.answers: dict[str, Answer] = {}
        self.asked: list[dict[str, Any]] = []
        self.connections: set[socket.socket] = set()
        self.port = free_port()
        self._server: _Server | None = None
        self.start()

    def start(self) -> None:
        self._server = _Server(("127.0.0.1", self.port), _Handler)
        self._server.stub = self
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        for connection in self.connections:  # nginx keeps some open
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.connections.clear()

    def reset(self) -> None:
        self.answers.clear()
        self.asked.clear()
        if self._server is None:
            self.start()


class _Server(ThreadingHTTPServer):
    allow_reuse_address = True
    daemon_threads = True
    stub: Stub

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: connections are cut on purpose."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.stub.connections.add(self.connection)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._answer_any
        raise AttributeError(name)

    def _answer_any(self) -> None:
        request = self._request()
        self.server.stub.asked.append(request)
        answer = self.server.stub.answers.get(self.path.split("?")[0], Answer())
        time.sleep(answer.delay)
        if answer.breaks:
            self.close_connection = True
            return
        content = json.dumps(request).encode() if answer.body is None else answer.body
        self.send_response(answer.status)
        for name, value in {"Content-Type": "application/json", **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _request(self) -> dict[str, Any]:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return {
            "service": self.server.stub.name,
            "method": self.command,
            "path": self.path,
            "size": len(body),
            "headers": {name.lower(): value for name, value in self.headers.items()},
        }

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""
