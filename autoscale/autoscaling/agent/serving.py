"""GET /metrics, and /livez for the container's check."""

from __future__ import annotations

import contextlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol


class Text(Protocol):
    def text(self) -> str: ...


class Handler(BaseHTTPRequestHandler):
    server: Server
    timeout = 5

    def do_GET(self) -> None:
        """What is known now; 503 where this machine's own figures cannot be read."""
        try:
            status, body = self._answer()
        except (OSError, ValueError, KeyError) as error:
            status, body = 503, f"{type(error).__name__}\n"
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body.encode())

    def _answer(self) -> tuple[int, str]:
        if self.path == "/metrics":
            return 200, self.server.source.text()
        return (200, "ok\n") if self.path == "/livez" else (404, "not found\n")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: this is asked every two seconds."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, listen: tuple[str, int], source: Text) -> None:
        super().__init__(listen, Handler)
        self.source = source
