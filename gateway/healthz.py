"""`GET /healthz`: the state of the shop, as JSON.

Run `python -m gateway.healthz`, settings from the environment:

HEALTH_LISTEN    host:port to answer on
HEALTH_SERVICES  JSON {name: "host:port"}: whose /readyz is asked, every half second
HEALTH_HOLD      path of a file; while it exists the shop is "degraded" at best (it is being filled)

The page answers from what was last seen and never waits for a service. A service is `ok` when it is ready,
`degraded` when it serves without an optional part, `down` when it lacks a part that it needs, or does not
answer.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PROBE_SECONDS = 0.5  # between two probes of a service
PROBE_TIMEOUT = 0.9  # with PROBE_SECONDS this keeps the page near 1 s old
_MAX_BYTES = 4096  # bytes of an answer that are read
CRITICAL = ("catalog", "cart", "checkout")  # without these nothing can be bought


def probe(address: str, timeout: float = PROBE_TIMEOUT) -> str:
    """`ok`, `degraded` or `down`, from one request to /readyz at `address` (host:port)."""
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=timeout)
    try:
        connection.request("GET", "/readyz", headers={"Host": "localhost"})
        answer = connection.getresponse()
        return _state(answer.status, answer.read(_MAX_BYTES))
    except (OSError, http.client.HTTPException):
        return "down"
    finally:
        connection.close()


def _state(status: int, body: bytes) -> str:
    """Return the state that /readyz reports; the storefront's has no parts to miss."""
    if status != 200:
        return "down"
    try:
        answer_body = json.loads(body)
    except ValueError:
        return "ok"
    return "degraded" if isinstance(answer_body, dict) and answer_body.get("status") == "degraded" else "ok"


def summary(services: Mapping[str, str], *, on_hold: bool = False) -> dict[str, Any]:
    """Return the body of /healthz: `down` when a critical service is, `ok` when all are."""
    if any(services.get(name) == "down" for name in CRITICAL):
        status = "down"
    elif on_hold or any(state != "ok" for state in services.values()):
        status = "degraded"
    else:
        status = "ok"
    return {"status": status, "services": dict(services)}


class HealthBoard:
    """The last known state of each service; one thread per service keeps it current."""

    def __init__(self, addresses: Mapping[str, str], hold_file: Path | None = None) -> None:
        self._addresses = addresses
        self._hold_file = hold_file
        self._states = dict.fromkeys(addresses, "down")

    def start(self) -> None:
        for name in self._addresses:
            threading.Thread(
                target=self._keep_current, args=(name,), daemon=True, name=f"watch {name}"
            ).start()

    def _keep_current(self, name: str) -> None:
        while True:
            started = time.monotonic()
            self._states[name] = probe(self._addresses[name])
            time.sleep(max(0.05, PROBE_SECONDS - (time.monotonic() - started)))

    def answer(self) -> tuple[int, bytes]:
        """Status and body for a GET."""
        body = summary(self._states, on_hold=self._hold_file is not None and self._hold_file.exists())
        return (503 if body["status"] == "down" else 200), json.dumps(body).encode()


def make_server(listen: str, board: HealthBoard) -> ThreadingHTTPServer:
    """Return an HTTP server that answers every GET with the board."""

    class Page(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, body = board.answer()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            if status == 503:
                self.send_header("Retry-After", "2")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815 -- the standard library names it

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: the gateway logs what matters."""

    host, _, port = listen.rpartition(":")
    server = ThreadingHTTPServer((host, int(port)), Page)
    server.daemon_threads = True
    return server


def main() -> None:
    hold_file = os.environ.get("HEALTH_HOLD")
    board = HealthBoard(json.loads(os.environ["HEALTH_SERVICES"]), Path(hold_file) if hold_file else None)
    board.start()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    make_server(os.environ["HEALTH_LISTEN"], board).serve_forever()


if __name__ == "__main__":
    main()
