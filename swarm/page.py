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
from swarm.snapshot import Snapshot, take_snapshot
from swarm.usage import UsageSampler

TEMPLATE = Path(__file__).with_name("status.html")
PLACEHOLDER = "/*SNAPSHOT*/null"
CACHE_SECONDS = 1.5  # one snapshot serves all viewers for this long
ALLOWED_HOSTS = ("127.0.0.1", "localhost", "[::1]")
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}


def render_static(snapshot: Snapshot) -> str:
    """Return the page with this one snapshot in it; it needs nothing else."""
    # `<` could end the script that it stands in.
    data = json.dumps(snapshot.as_json()).replace("<", "\\u003c")
    return TEMPLATE.read_text(encoding="utf-8").replace(PLACEHOLDER, data)


class SnapshotSource:
    """Snapshots for several viewers; Docker is asked once for all of them."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster, self._usage, self._ids = cluster, UsageSampler(cluster), drift.ImageIds(cluster)
        self._lock = threading.Lock()
        self._cached, self._cached_at = b"", -CACHE_SECONDS

    def json(self) -> bytes:
        with self._lock:
            if time.monotonic() - self._cached_at > CACHE_SECONDS:
                differences = drift.find(self._cluster, self._ids)
                snapshot = take_snapshot(self._cluster, self._usage.sample_usage(), differences)
                self._cached, self._cached_at = json.dumps(snapshot.as_json()).encode(), time.monotonic()
            return self._cached


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, source: SnapshotSource) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.source = source


class Handler(BaseHTTPRequestHandler):
    server: Server
    timeout = 10

    def do_GET(self) -> None:
        # Another site's name that was pointed at the loopback must not read what is here.
        if self.headers.get("Host", "").rpartition(":")[0] not in ALLOWED_HOSTS:
            self._respond(403, "text/plain", b"Ask for this page at 127.0.0.1.\n")
        elif self.path == "/":
            self._respond(200, "text/html; charset=utf-8", TEMPLATE.read_bytes())
        elif self.path == "/status.json":
            self._send_snapshot()
        else:
            self._respond(404, "text/plain", b"There is / and /status.json.\n")

    def _send_snapshot(self) -> None:
        try:
            self._respond(200, "application/json", self.server.source.json())
        except (DockerException, RequestException) as error:
            self._respond(503, "text/plain; charset=utf-8", f"Docker: {error}\n".encode())

    def _respond(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        for name, value in {
            **HEADERS,
            "Content-Type": content_type,
            "Content-Length": str(len(body)),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the page asks every two seconds."""


def serve(cluster: Cluster, port: int) -> None:
    """Until Ctrl-C. Failed when the port is taken."""
    try:
        server = Server(port, SnapshotSource(cluster))
    except OSError as error:
        raise Failed(
            f"The page cannot be shown on port {port} ({error.strerror}): WEB= another one."
        ) from error
    with server:
        print(f"http://127.0.0.1:{server.server_port}/ shows {cluster.stack}; Ctrl-C ends it.", flush=True)
        server.serve_forever()
