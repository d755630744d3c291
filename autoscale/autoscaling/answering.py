"""The small HTTP answers of what runs without Django: node agent, proxy, the loop's own address."""

from __future__ import annotations

import contextlib
from http.server import BaseHTTPRequestHandler

METRICS = "text/plain; version=0.0.4; charset=utf-8"  # Prometheus' text format


class Answering(BaseHTTPRequestHandler):
    """A handler whose `send` forgives who went away. It logs nothing: it is asked every two seconds."""

    timeout = 5

    def send(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""
