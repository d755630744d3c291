"""GET /metrics, and /livez for the container's check."""

from __future__ import annotations

from http.server import ThreadingHTTPServer
from typing import Protocol

from autoscaling.answering import METRICS, Answering


class Text(Protocol):
    def text(self) -> str: ...


class Handler(Answering):
    server: Server

    def do_GET(self) -> None:
        """Answer the figures known now; 503 where this machine's own cannot be read."""
        try:
            status, body = self._answer()
        except (OSError, ValueError, KeyError) as error:
            status, body = 503, f"{type(error).__name__}\n"
        self.send(status, METRICS, body.encode())

    def _answer(self) -> tuple[int, str]:
        if self.path == "/metrics":
            return 200, self.server.source.text()
        return (200, "ok\n") if self.path == "/livez" else (404, "not found\n")


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, listen: tuple[str, int], source: Text) -> None:
        super().__init__(listen, Handler)
        self.source = source
