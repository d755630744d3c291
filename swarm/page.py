"""The stack as a web page: live on this machine's loopback, or a still in a file."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from docker.errors import DockerException
from requests.exceptions import RequestException

from swarm import drift
from swarm.cluster import Cluster, Failed
from swarm.snapshot import Snapshot, take
from swarm.usage import Usage

TEMPLATE = Path(__file__).with_name("status.html")
PLACE = "/*SNAPSHOT*/null"
FRESH = 1.5  # seconds for which one look serves all who ask
OWN_NAMES = ("127.0.0.1", "localhost", "[::1]")
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}


def still(seen: Snapshot) -> str:
    """Return the page with this one snapshot in it; it needs nothing else."""
    # `<` could end the script that it stands in.
    data = json.dumps(seen.as_json()).replace("<", "\\u003c")
    return TEMPLATE.read_text(encoding="utf-8").replace(PLACE, data)


class Source:
    """Snapshots for several viewers; Docker is asked once for all of them."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster, self._usage, self._ids = cluster, Usage(cluster), drift.ImageIds(cluster)
        self._lock = threading.Lock()
        self._last, self._at = b"", -FRESH

    def json(self) -> bytes:
        with self._lock:
            if time.monotonic() - self._at > FRESH:
                differences = drift.find(self._cluster, self._ids)
                seen = take(self._cluster, self._usage.look(), differences)
                self._last, self._at = json.dumps(seen.as_json()).encode(), time.monotonic()
            return self._last


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, source: Source) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.source = source


class Handler(BaseHTTPRequestHandler):
    server: Server
    timeout = 10

    def do_GET(self) -> None:
        # Another site's name that was pointed at the loopback must not read what is here.
        if self.headers.get("Host", "").rpartition(":")[0] not in OWN_NAMES:
            self._answer(403, "text/plain", b"Ask for this page at 127.0.0.1.\n")
        elif self.path == "/":
            self._answer(200, "text/html; charset=utf-8", TEMPLATE.read_bytes())
        elif self.path == "/status.json":
            self._snapshot()
        else:
            self._answer(404, "text/plain", b"There is / and /status.json.\n")

    def _snapshot(self) -> None:
        try:
            self._answer(200, "application/json", self.server.source.json())
        except (DockerException, RequestException) as error:
            self._answer(503, "text/plain; charset=utf-8", f"Docker: {error}\n".encode())

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        for name, value in {**HEADERS, "Content-Type": kind, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the page asks every two seconds."""


def serve(cluster: Cluster, port: int) -> None:
    """Until Ctrl-C. Failed when the port is taken."""
    try:
        server = Server(port, Source(cluster))
    except OSError as error:
        raise Failed(
            f"The page cannot be shown on port {port} ({error.strerror}): WEB= another one."
        ) from error
    with server:
        print(f"http://127.0.0.1:{server.server_port}/ shows {cluster.stack}; Ctrl-C ends it.", flush=True)
        server.serve_forever()
